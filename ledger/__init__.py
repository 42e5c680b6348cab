"""What every package of the product speaks: refusals, moments, ids, SQL, requests that are served as one."""

__version__ = "0.9.0.dev0"  # of the product, stated once: `make release` writes it
