"""What sending to a subscriber comes to, whatever kind of subscriber it is."""

import json
from collections.abc import Callable
from typing import Any

from ledger import traces

# A way to one subscriber, open while a batch is sent. Called with an envelope, it returns when the receiver
# has the event: True, or False if it had no use for it. Raises `DeliveryFailed`.
Channel = Callable[[dict[str, Any]], bool]


class DeliveryFailed(Exception):
    """An event was not taken.

    `retry_after` are the seconds that the receiver asks to wait for; `is_gone`: it will never take one again.
    """

    def __init__(self, reason: str, *, retry_after: float = 0, is_gone: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.is_gone = is_gone

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
