"""The refusals of the feed and of subscriptions."""

from ledger.errors import LedgerError


class FeedStopped(LedgerError, code="feed_stopped"):
    """The database is not the one whose history the feed tells; `new_feed_epoch` starts another."""


class FeedEpochChanged(LedgerError, code="feed_epoch_changed"):
    """The cursor is of a history that a restore or a failover has ended."""


class CursorAheadOfFeed(LedgerError, code="cursor_ahead_of_feed"):
    """The cursor's position is one that the feed has not given yet."""


class EventsPruned(LedgerError, code="events_pruned"):
    """What was asked for is older than what is kept."""


class UrlNotAllowed(LedgerError, code="url_not_allowed", field="url"):
    """The url is not one that the ledger calls: see `events.delivery.url_guard`."""


class SubscriptionNotFound(LedgerError, code="not_found"):
    """No subscription has this id."""


class AccountNotFound(LedgerError, code="not_found", field="account"):
    """No account has this id, of which a subscription is to be."""


class UserNotFound(LedgerError, code="not_found", field="user"):
    """No user has this id, of whom a subscription is to be."""


class SubscriptionExists(LedgerError, code="subscription_exists"):
    """There is one for this url (or for the broker) already, of other events."""


class SubscriptionNotActive(LedgerError, code="subscription_not_active"):
    """Nothing is tried now of one that is paused or disabled."""


class TooManySubscriptions(LedgerError, code="limit_reached"):
    """There are as many subscriptions as may be."""


class BrokerNotConfigured(LedgerError, code="broker_not_configured", field="kind"):
    """A subscription of the broker needs the setting BROKER_URL."""


class NotAWebhook(LedgerError, code="not_a_webhook"):
    """Only webhooks have a secret and a url."""


class Busy(LedgerError, code="busy"):
    """As many threads wait for receivers as may."""
