"""What the OpenAPI document says of the operations on the feed and its subscriptions.

Its examples are one story, which a test replays against a server.
"""

from events.rest import serializers
from rest.schema import ON_BODIES, ON_LISTS, answered, describe, operation, sent

SUBSCRIPTION_ID = "01910000-0000-7000-8000-00000000f001"
CURSOR = "AVOD4Ho0n3k3lS1eF8hJm0cQx2b5TtYw7RzKpLdUaGqN6vXyBWsEoI9fHjMCuZ4rDkPgTQbn1w2M"
CURSOR_OF_THE_OLDEST = "AZc7Lq2mWn5RtYb8XkVdHs0GfJpE4uIoA6zQwTxCvNyMr1KgDaSjFhBl3PeUi9ZoRcXtVbNm7QwE"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105, nobody's
URL = "https://ads.example.com/ledger"
SUBSCRIPTION: dict[str, object] = {
    "id": SUBSCRIPTION_ID,
    "kind": "webhook",
    "url": URL,
    "types": ["transaction.posted"],
    "status": "ACTIVE",
    "cursor": CURSOR,
    "lag": {"events": 0, "seconds": 0.0},
    "attempts": 0,
    "next_attempt_at": None,
    "sent": 0,
    "failed": 0,
    "unroutable": 0,
    "last_sent_at": None,
    "last_error": None,
    "last_error_at": None,
    "created_at": "2026-01-01T12:00:00.000000Z",
}

ON_CURSORS = ("invalid_cursor", "feed_epoch_changed", "cursor_ahead_of_feed", "events_pruned", "feed_stopped")

describe_events = describe(
    "Events",
    list=operation(
        "listEvents",
        "Read the feed",
        """Events after a cursor, oldest first, in one order without gaps. Keep `cursor` and send it as
        `after` next time; without it, the oldest event that is kept comes first. With `wait` the answer may
        wait for the first one. Without the permission to see everything: those of your own accounts, and
        without their positions.""",
        200,
        serializers.EventPageSerializer,
        "invalid_parameter",
        "id_invalid",
        "required",
        "conflicting_fields",
        *ON_CURSORS,
    ),
)
describe_subscriptions = describe(
    "Subscriptions",
    create=operation(
        "createSubscription",
        "Subscribe",
        """Has events sent from now on: to a webhook at your url, or to the ledger's broker. The `secret`
        that signs the messages of a webhook is shown this once. Repeated with the same url it is the same
        subscription, without the secret.""",
        201,
        serializers.NewSubscriptionSerializer,
        *ON_BODIES,
        "invalid_choice",
        "url_not_allowed",
        "broker_not_configured",
        "subscription_exists",
        "limit_reached",
        "feed_stopped",
        leads_to=["getSubscription", "updateSubscription", "testSubscription", "pauseSubscription"],
        examples=[
            sent("a webhook", {"kind": "webhook", "url": URL, "types": ["transaction.posted"]}),
            answered("subscribed", {**SUBSCRIPTION, "secret": SECRET}, 201),
        ],
    ),
    list=operation(
        "listSubscriptions",
        "List subscriptions",
        """Subscriptions, newest first, each with how far it has come. Without the permission to see all,
        your own.""",
        200,
        serializers.SubscriptionSerializer,
        *ON_LISTS,
    ),
    retrieve=operation(
        "getSubscription",
        "Get a subscription",
        """One subscription: its cursor, how far it lags behind the feed, and its last error.""",
        200,
        serializers.SubscriptionSerializer,
        "not_found",
    ),
    partial_update=operation(
        "updateSubscription",
        "Change a subscription",
        """Gives it another url, or other types of events; an empty list is all of them. It goes on from
        where it was.""",
        200,
        serializers.SubscriptionSerializer,
        *ON_BODIES,
        "invalid_choice",
        "url_not_allowed",
        "not_a_webhook",
        "subscription_exists",
        "not_found",
        examples=[
            sent("all types", {"types": []}),
            answered("done", {**SUBSCRIPTION, "types": []}),
        ],
    ),
    destroy=operation(
        "deleteSubscription",
        "Unsubscribe",
        """Nobody is told any more, and where it was is forgotten. To go on later, pause it instead.""",
        204,
        None,
        "not_found",
    ),
    pause=operation(
        "pauseSubscription",
        "Pause a subscription",
        """Sends nothing until it is resumed, and then goes on from where it was, as long as those events
        are kept. There is no body.""",
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        examples=[answered("done", {**SUBSCRIPTION, "status": "PAUSED"})],
    ),
    resume=operation(
        "resumeSubscription",
        "Resume a subscription",
        """Goes on from its cursor at once, whether it was paused, or disabled after too many attempts.
        There is no body.""",
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        "events_pruned",
        examples=[answered("done", SUBSCRIPTION)],
    ),
    replay=operation(
        "replaySubscription",
        "Move a subscription",
        """Goes on from another cursor of the feed: an earlier one sends again, a later one skips. Without
        `after`, all that is kept is sent again.""",
        200,
        serializers.SubscriptionSerializer,
        *ON_BODIES,
        *ON_CURSORS,
        "not_found",
        examples=[
            sent("all that is kept", {}),
            answered(
                "done",
                {
                    **SUBSCRIPTION,
                    "cursor": CURSOR_OF_THE_OLDEST,
                    "lag": {"events": 2, "seconds": 0.25},
                },
            ),
        ],
    ),
    rotate_secret=operation(
        "rotateSubscriptionSecret",
        "Rotate the secret of a webhook",
        """Makes a new secret and shows it this once. For 24 hours every message is signed with the old one
        too. There is no body.""",
        200,
        serializers.NewSubscriptionSerializer,
        "not_found",
        "not_a_webhook",
        examples=[answered("done", {**SUBSCRIPTION, "secret": SECRET})],
    ),
    test=operation(
        "testSubscription",
        "Send a test",
        """Sends a `subscription.test` now, beside the feed, and says what came of it. There is no body.""",
        200,
        serializers.TestResultSerializer,
        "not_found",
        examples=[
            answered(
                "done", {"delivered": False, "error": "ConnectError: The name of the host does not resolve."}
            )
        ],
    ),
)
