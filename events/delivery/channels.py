"""What sending to a subscriber comes to, whatever kind of subscriber it is."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from events.models import ERROR_LENGTH_MAX
from ledger import traces


class Taken(NamedTuple):
    """The receiver has the event, and a use for it if it `is_wanted`. `status_code` is that of HTTP."""

    is_wanted: bool = True
    status_code: int | None = None


# A way to one subscriber, open while a batch is sent. Called with an envelope, it returns when the receiver
# has the event. Raises `DeliveryFailed`.
Channel = Callable[[dict[str, Any]], Taken]


class DeliveryFailed(Exception):
    """An event was not taken.

    `retry_after` are the seconds that the receiver asks to wait for; `is_gone`: it will never take one again.
    `status_code` is what it answered, if it did.
    """

    def __init__(
        self, reason: str, *, retry_after: float = 0, is_gone: bool = False, status_code: int | None = None
    ) -> None:
        # A receiver may have had a hand in it: what is not printable might not fit into the database.
        super().__init__("".join(each if each.isprintable() else "?" for each in reason)[:ERROR_LENGTH_MAX])
        self.retry_after = retry_after
        self.is_gone = is_gone
        self.status_code = status_code

    @classmethod
    def because_of(cls, error: Exception) -> "DeliveryFailed":
        """With the name and the text of the error as its reason."""
        return cls(f"{type(error).__name__}: {error}")


def make_message_id(envelope: dict[str, Any]) -> str:
    """The id that a receiver knows the event again by: the same whenever it is sent.

    The epoch is part of it, as a restore may give the event's number to another one.
    """
    return f"{envelope['epoch'].replace('-', '')}-{envelope['id']}"


def make_body(envelope: dict[str, Any]) -> str:
    """The text that is sent, and signed."""
    return json.dumps(envelope, separators=(",", ":"))


def write_trace(envelope: dict[str, Any]) -> dict[str, str]:
    """The header that says whose work it is part of, if the request's id carries that."""
    header = traces.write_header(envelope["request_id"])
    return {"traceparent": header} if header else {}
