"""Webhooks: what the ledger has signed, just now, and nothing else (https://www.standardwebhooks.com)."""

import json
from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

from ledger_client.problems import LedgerError
from ledger_client.telling import Event
from ledger_client.wire import read

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class NotSigned(LedgerError):
    """Not of the ledger, changed on the way, or of more than five minutes ago: answer 401 and do nothing."""


def verify(secret: str, body: bytes, headers: Mapping[str, str]) -> Event:
    """The event of a request; its body as it came, byte for byte. `headers`: any mapping of names to values,
    Django's `request.headers` too.

    Answer 2xx when the event is stored, never before: anything else, and it is sent again later. It comes at
    least once: keep `stream` and `sequence` with what you do (`feed.Consumer`). Raises `NotSigned`.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, {name: named[name] for name in HEADERS}, json_parse=False)
    except KeyError as error:
        raise NotSigned(f"There is no header {error.args[0]}.") from error
    except (WebhookVerificationError, ValueError) as error:  # it splits and decodes before it compares
        raise NotSigned(str(error) or "The signature is not the ledger's.") from error
    return read(Event, json.loads(body))
