"""What every package of the product speaks: refusals, moments, ids, SQL, groups of requests served together."""
