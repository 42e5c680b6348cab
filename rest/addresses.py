"""Where requests of the API go, looked up in a table instead of tried pattern by pattern."""

import re
from collections.abc import Iterator
from functools import cache
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import ResolverMatch, RoutePattern


class UUIDConverter:
    """A UUID in a path, in either case of letters."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID:
        return UUID(value)

    def to_url(self, value: UUID) -> str:
        return str(value)


API = "/api/v1/"
MEMBER = re.compile(rf"({API}[a-z]+/)({UUIDConverter.regex})(/[a-z-]+)?")
TO_MEMBER = "<id:pk>"

find_id = UUIDConverter().to_python
split_member = MEMBER.fullmatch


def find_address(path: str) -> ResolverMatch | None:
    """What Django's resolver would find for a path of the API; None for all that it shall find itself."""
    if not path.startswith(API):
        return None
    found = _read_addresses().get(path)
    if found is not None or not (member := split_member(path)):
        return found
    collection, id, command = member.groups("")
    known = _read_addresses().get(collection + TO_MEMBER + command)
    return _give(known, {"pk": find_id(id)}) if known else None


def _give(known: ResolverMatch, kwargs: dict[str, object]) -> ResolverMatch:
    """A copy for one request."""
    match = object.__new__(ResolverMatch)
    match.__dict__ = {**known.__dict__, "kwargs": kwargs, "captured_kwargs": kwargs}
    return match


@cache
def _read_addresses() -> dict[str, ResolverMatch]:
    """By path; for members, with the pattern of the id in place of one."""
    found: dict[str, ResolverMatch] = {}
    for route, pattern in _walk(get_resolver()):
        found.setdefault(f"/{route}", ResolverMatch(pattern.callback, (), {}, route=route))
    return {path: match for path, match in found.items() if path.startswith(API)}


def _walk(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if not isinstance(pattern.pattern, RoutePattern):
            continue
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from _walk(pattern, route)
