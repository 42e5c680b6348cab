"""Pages of what the search finds: they may end before they are full, and say up to when the search knows."""

from typing import Any

from rest_framework.request import Request

from ledger.values import format_time
from rest.lists import KeysetPagination
from transactions import search
from transactions.search import Key, Listing

KNOWN_AT = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "Stands only where the search has answered, which is a moment behind: what came later may"
    " be missing. Null: the search is being made anew, and anything may be missing.",
}


class Edge:
    """What a page begins beyond: a row as far as its order knows it."""

    def __init__(self, key: Key, order: str) -> None:
        self.id = key.id
        setattr(self, order, key.at)


class SearchPagination(KeysetPagination):
    """As `KeysetPagination`, of the keys of a `Listing`. A page that ends before it is full has a `next`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: object = None) -> list[Any]:
        listing: Listing = queryset
        self.request, self.ordering = request, listing.order
        size = self.get_page_size(request)
        is_forward, position = self.decode_cursor(request.query_params.get(self.cursor_query_param))
        keys = search.find_keys(listing, position, is_forward=is_forward, limit=size + 1)
        if known := keys.knowledge:
            self.told = {"known_at": None if known.is_rebuilding else format_time(known.known_at)}
        found = keys.found[:size]
        near = found[0] if found else keys.last
        far = found[-1] if len(keys.found) > size else keys.last if keys.is_cut else None
        first, last = (near, far) if is_forward else (far, near)
        self.has_next, self.has_previous = bool(last), bool(first) and (not is_forward or bool(position))
        # The other class looks at the ends alone.
        self.page = [Edge(end, listing.order) for end in (first or last, last or first) if end]
        return found if is_forward else found[::-1]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        described["properties"]["known_at"] = KNOWN_AT
        return described
