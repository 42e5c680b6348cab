"""Requests to values, errors to HTTP."""

API = "/api/v1/"  # what the paths of all that is answered as the API begin with
