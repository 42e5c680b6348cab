"""What every named refusal of the domain packages is made of, and the refusals of the feed.

HTTP statuses are `rest.errors`' business.
"""

from typing import Any
from uuid import UUID


def gettext_noop(text: str) -> str:
    """Marks a text that the back office translates. Django's own would load the settings on import."""
    return text


class LedgerError(Exception):
    """A refusal with a stable code and one sentence for people.

    `field` names the part of the command it is about; `particulars` are strings, numbers and lists of
    strings that a program can act on.
    """

    code: str
    field: str | None = None
    command_id: UUID | None = None  # of several commands that came together, the one that is refused

    def __init__(self, detail: str, **particulars: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.particulars = particulars


class FeedStopped(LedgerError):
    """The database is not the one whose history the feed tells; `new_feed_epoch` starts another."""

    code = "feed_stopped"


class FeedEpochChanged(LedgerError):
    """The cursor is of a history that a restore or a failover has ended."""

    code = "feed_epoch_changed"


class CursorAheadOfFeed(LedgerError):
    code = "cursor_ahead_of_feed"


class EventsPruned(LedgerError):
    """What was asked for is older than what is kept."""

    code = "events_pruned"


class UrlNotAllowed(LedgerError):
    """The url is not one that the ledger calls: see `events.targets`."""

    code = "url_not_allowed"
    field = "url"


class SubscriptionNotFound(LedgerError):
    code = "not_found"


class SubscriptionExists(LedgerError):
    """There is one for this url (or for the broker) already, with other types."""

    code = "subscription_exists"


class TooManySubscriptions(LedgerError):
    code = "limit_reached"


class BrokerNotConfigured(LedgerError):
    code = "broker_not_configured"
    field = "kind"


class NotAWebhook(LedgerError):
    """Only webhooks have a secret and a url."""

    code = "not_a_webhook"


class Busy(LedgerError):
    """As many wait for receivers as may."""

    code = "busy"
