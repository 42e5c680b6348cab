"""Requests to values, errors to HTTP."""

API = "/api/v1/"  # what the paths of all that is answered as the API begin with
PROBES = frozenset(("/livez", "/readyz", "/metrics"))  # of those who watch, who ask an address and not a name
