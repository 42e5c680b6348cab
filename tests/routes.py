"""Every address, in the words of `tests.matrix`."""

import re
from collections.abc import Iterator

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern

# Of objects that have an owner.
KINDS = (
    *("user", "account", "spare", "transaction", "transfer", "batch", "hold", "claim", "threshold"),
    "subscription",
)


def find_routes() -> set[str]:
    """Every address of the URL configuration, in the table's words."""
    return set(_walk(get_resolver().url_patterns, ""))


def _walk(patterns, before: str) -> Iterator[str]:
    for entry in patterns:
        pattern = entry.pattern
        text = str(pattern) if isinstance(pattern, RoutePattern) else simplify_regex(str(pattern)).lstrip("/")
        route = re.sub(r"\w+/<id:pk>", name_kind, before + text)
        route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from _walk(entry.url_patterns, route)


def name_kind(found: re.Match[str]) -> str:
    """`users/{user}`, `batches/{batch}`: of a kind's address with an id."""
    plural = found[0].partition("/")[0]
    return f"{plural}/{{{next(kind for kind in KINDS if plural in (f'{kind}s', f'{kind}es'))}}}"
