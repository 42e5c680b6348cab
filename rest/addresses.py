"""Where requests of the API go, looked up in a table instead of tried pattern by pattern."""

from collections.abc import Iterator
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import ResolverMatch, RoutePattern

from ledger.ids import UUID_TEXT, make_uuid

API = "/api/v1/"
ID = "<id:pk>"
ID_LENGTH = 36
is_id = UUID_TEXT.fullmatch

Addresses = dict[str, ResolverMatch]


def find_address(path: str) -> ResolverMatch | None:
    """What Django's resolver would find for a path of the API; None for all that it shall find itself."""
    if not path.startswith(API):
        return None
    fixed, of_members = _read_addresses()
    collection, slash, member = path[len(API) :].partition("/")
    if not slash or len(member) < ID_LENGTH:
        return fixed.get(path)
    id = member[:ID_LENGTH]
    known = of_members.get(f"{API}{collection}/{member[ID_LENGTH:]}")
    if known is None or not is_id(id):
        return None
    kwargs = {"pk": make_uuid(id)}
    match = object.__new__(ResolverMatch)
    match.__dict__ = {**known.__dict__, "kwargs": kwargs, "captured_kwargs": kwargs}
    return match


@cache
def _read_addresses() -> tuple[Addresses, Addresses]:
    """The paths that are fixed, and those with an id in them, which is left out of theirs."""
    fixed: Addresses = {}
    of_members: Addresses = {}
    for route, pattern in _walk(get_resolver()):
        if f"/{route}".startswith(API):
            match = ResolverMatch(pattern.callback, (), {}, route=route, captured_kwargs={})
            before, id, after = route.partition(ID)
            (of_members if id else fixed).setdefault(f"/{before}{after}", match)
    return fixed, of_members


def _walk(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if not isinstance(pattern.pattern, RoutePattern):
            continue
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from _walk(pattern, route)
