"""Lists are paged by the key of their last row, so that pages stay right while rows are added."""

import json
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from rest.answers import Answer, answer
from rest.errors import FieldError, InvalidRequest

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 500
CURSOR_LENGTH_MAX = 500


class KeysetPagination(BasePagination):
    """Newest first by (`time_field`, `id`). A cursor is signed for its caller, address and filters."""

    time_field: ClassVar[str] = "created_at"
    parameters: ClassVar[tuple[str, ...]] = ("cursor", "page_size")

    def paginate_queryset(self, queryset: Any, request: Request, view: object = None) -> list[Any]:
        self.request = request
        self.page_size = self._read_page_size()
        forward, position = self._read_cursor()
        self.page, more = self._read_page(queryset, forward, position)
        self.has_next = more if forward else True
        self.has_previous = position is not None if forward else more
        return self.page

    def get_paginated_response(self, data: Any) -> Answer:  # type: ignore[override]
        return answer(
            {
                "next": self._make_link(True, self.page[-1]) if self.page and self.has_next else None,
                "previous": self._make_link(False, self.page[0]) if self.page and self.has_previous else None,
                "results": data,
            }
        )

    def _read_page(
        self, queryset: QuerySet[Any], forward: bool, position: tuple[datetime, UUID] | None
    ) -> tuple[list[Any], bool]:
        """A page beyond the position, newest first, and whether there is more beyond it."""
        time_field = self.time_field
        if position is not None:
            moment, id = position
            beyond = "lt" if forward else "gt"
            # The first condition alone is what the index is searched by.
            queryset = queryset.filter(
                Q(**{f"{time_field}__{beyond}e": moment}),
                Q(**{f"{time_field}__{beyond}": moment}) | Q(**{f"id__{beyond}": id}),
            )
        order = "-" if forward else ""
        rows = list(queryset.order_by(f"{order}{time_field}", f"{order}id")[: self.page_size + 1])
        more = len(rows) > self.page_size
        rows = rows[: self.page_size]
        return (rows if forward else rows[::-1]), more

    def _read_page_size(self) -> int:
        text = self.request.query_params.get("page_size")
        if text is None:
            return PAGE_SIZE_DEFAULT
        if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= PAGE_SIZE_MAX):
            raise InvalidRequest(
                FieldError("?page_size", "invalid_parameter", f"A page has 1 to {PAGE_SIZE_MAX} rows.")
            )
        return int(text)

    def _read_cursor(self) -> tuple[bool, tuple[datetime, UUID] | None]:
        text = self.request.query_params.get("cursor")
        if text is None:
            return True, None
        try:
            if len(text) > CURSOR_LENGTH_MAX:
                raise BadSignature
            forward, moment, id = json.loads(self._signer.unsign(text))
        except (BadSignature, ValueError) as error:
            raise InvalidRequest(
                FieldError("?cursor", "invalid_cursor", "Not a cursor that this list gave for these filters.")
            ) from error
        return forward, (datetime.fromisoformat(moment), UUID(id))

    def _make_link(self, forward: bool, row: Any) -> str:
        position = [forward, getattr(row, self.time_field).isoformat(), str(row.id)]
        query = {
            **self.request.query_params.dict(),
            "cursor": self._signer.sign(json.dumps(position, separators=(",", ":"))),
        }
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query)}")

    @property
    def _signer(self) -> Signer:
        query = self.request.query_params
        filters = sorted((name, query[name]) for name in query if name not in self.parameters)
        return Signer(salt=json.dumps(["cursor", self.request.path, str(self.request.user.pk), filters]))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: object) -> list[Any]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "From `next` or `previous`.",
            },
            {
                "name": "page_size",
                "in": "query",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": PAGE_SIZE_MAX,
                    "default": PAGE_SIZE_DEFAULT,
                },
            },
        ]
