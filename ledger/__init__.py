"""What every package of the product speaks: refusals, moments, ids, SQL, requests that are served as one."""
