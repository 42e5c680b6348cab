"""Every address of the back office, read from the site itself."""

import re
from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern
from django.urls.resolvers import RoutePattern

OUTSIDE = {"login/", "second-factor/", "language/"}  # which open without the second factor


def list_routes() -> list[str]:
    """The addresses as they are configured, without `/admin/`."""
    return list(dict.fromkeys(_walk(admin.site.get_urls(), "")))


def _walk(patterns, before: str) -> Iterator[str]:
    for entry in patterns:
        pattern = entry.pattern
        text = str(pattern) if isinstance(pattern, RoutePattern) else simplify_regex(str(pattern)).lstrip("/")
        route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", before + text)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from _walk(entry.url_patterns, route)


def list_urls(object_id: object = "1") -> list[str]:
    """The same to ask for; everything they name is `object_id`. Those that anybody may open are left out."""
    places = {"app_label": "accounts", "content_type_id": "1", "url": "nothing"}
    return [
        "/admin/" + re.sub(r"\{(\w+)\}", lambda place: places.get(place[1], str(object_id)), route)
        for route in list_routes()
        if route not in OUTSIDE
    ]
