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
    "account": None,
    "user": None,
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
ATTEMPT: dict[str, object] = {
    "event": None,
    "position": None,
    "began_at": "2026-01-01T12:00:01.000000Z",
    "milliseconds": 12,
    "delivered": False,
    "status_code": None,
    "error": "ConnectError: The name of the host does not resolve.",
}

ON_CURSORS = ("invalid_cursor", "feed_epoch_changed", "cursor_ahead_of_feed", "events_pruned", "feed_stopped")

describe_events = describe(
    list=operation(
        200,
        serializers.EventsSerializer,
        "invalid_parameter",
        "id_invalid",
        "required",
        "conflicting_fields",
        *ON_CURSORS,
        operation_id="events_list",
    )
)
describe_subscriptions = describe(
    create=operation(
        201,
        serializers.NewSubscriptionSerializer,
        *ON_BODIES,
        "invalid_choice",
        "id_invalid",
        "conflicting_fields",
        "not_found",
        "url_not_allowed",
        "broker_not_configured",
        "subscription_exists",
        "limit_reached",
        "feed_stopped",
        examples=[
            sent("a webhook", {"kind": "webhook", "url": URL, "types": ["transaction.posted"]}),
            answered("subscribed", {**SUBSCRIPTION, "secret": SECRET}, 201),
        ],
    ),
    list=operation(
        200, serializers.SubscriptionSerializer, *ON_LISTS, description="Subscriptions, newest first."
    ),
    retrieve=operation(
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        description="One subscription: its cursor, its lag and its last error.",
    ),
    partial_update=operation(
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
    destroy=operation(204, None, "not_found"),
    pause=operation(
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        examples=[answered("done", {**SUBSCRIPTION, "status": "PAUSED"})],
    ),
    resume=operation(
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        "events_pruned",
        examples=[answered("done", SUBSCRIPTION)],
    ),
    replay=operation(
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
        200,
        serializers.NewSubscriptionSerializer,
        "not_found",
        "not_a_webhook",
        examples=[answered("done", {**SUBSCRIPTION, "secret": SECRET})],
    ),
    test=operation(
        200,
        serializers.TestSerializer,
        "not_found",
        examples=[
            answered(
                "done", {"delivered": False, "error": "ConnectError: The name of the host does not resolve."}
            )
        ],
    ),
    try_now=operation(
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        "subscription_not_active",
        examples=[answered("done", SUBSCRIPTION)],
    ),
    attempts=operation(
        200, serializers.AttemptsSerializer, "not_found", examples=[answered("done", {"attempts": [ATTEMPT]})]
    ),
)
