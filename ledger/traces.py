"""W3C Trace Context (https://www.w3.org/TR/trace-context/), read and written without a tracer.

A sampled trace goes on in the id of the request, which stands in its rows and events anyway: so the messages
that tell of them, perhaps days later, say whose work they are part of.
"""

import re
from typing import NamedTuple

find_parts = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?").fullmatch
find_carried = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}").fullmatch
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16
SAMPLED = 1


class Trace(NamedTuple):
    """Where a request comes from: the trace, and its span that has sent the request."""

    id: str
    span: str
    is_sampled: bool

    @property
    def request_id(self) -> str:
        """The id of a request that has none of its own. Empty where nobody records the trace: whoever heard
        of it would record a piece that belongs to nothing."""
        return f"{self.id}-{self.span}" if self.is_sampled else ""


def read(header: str) -> Trace | None:
    """What a `traceparent` says; None for one that is not valid, which is as if there were none."""
    found = find_parts(header)
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if trace == NO_TRACE or span == NO_SPAN or (more and version == "00"):
        return None
    return Trace(trace, span, bool(int(flags, 16) & SAMPLED))


def write_header(request_id: str) -> str | None:
    """The `traceparent` of what a request has occasioned; None if its id carries no trace."""
    return f"00-{request_id}-01" if find_carried(request_id) else None
