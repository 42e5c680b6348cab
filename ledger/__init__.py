"""What every package of the product speaks: refusals, moments, ids, groups of requests served together."""
