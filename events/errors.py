"""The refusals of the feed and of subscriptions."""

from ledger.errors import LedgerError


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
    """The url is not one that the ledger calls: see `events.delivery.url_guard`."""

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
