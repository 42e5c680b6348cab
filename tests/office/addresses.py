"""Every address of the back office, read from the site itself."""

import re

from tests.office.things import find_id
from tests.routes import find_routes

OUTSIDE = {"login/", "second-factor/", "language/"}  # which open without the second factor


def list_routes() -> list[str]:
    """The addresses as they are configured, without `/admin/`."""
    return sorted(route.removeprefix("admin/") for route in find_routes() if route.startswith("admin/"))


def list_urls(object_id: object = "1") -> list[str]:
    """The same to ask for; everything they name is `object_id`. Those that anybody may open are left out."""
    places = {"app_label": "accounts", "content_type_id": "1", "url": "nothing"}
    return [
        "/admin/" + re.sub(r"\{(\w+)\}", lambda place: places.get(place[1], str(object_id)), route)
        for route in list_routes()
        if route not in OUTSIDE
    ]


def list_urls_of(things: dict[str, object]) -> list[str]:
    """The same, but what they name is there: one of `things`, by model."""
    urls = dict(zip(list_urls("{}"), list_urls("nothing"), strict=True))
    for model, thing in things.items():
        of_model = [route for route in urls if route.startswith(f"/admin/{model}/")]
        urls |= {route: route.format(find_id(thing)) for route in of_model}
    return list(urls.values())
