"""What the OpenAPI document says of the operations on the feed and its subscriptions."""

from events.rest import examples, serializers
from rest.schema import ON_BODIES, ON_LISTS, describe, operation

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
        parameters=[serializers.EventsQuery],
    )
)
describe_subscriptions = describe(
    create=operation(
        201,
        serializers.NewSubscriptionSerializer,
        *ON_BODIES,
        "invalid_choice",
        "url_not_allowed",
        "broker_not_configured",
        "subscription_exists",
        "limit_reached",
        "feed_stopped",
        request=serializers.SubscriptionRequest,
        examples=examples.CREATE_SUBSCRIPTION,
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
        request=serializers.SubscriptionChanges,
        examples=examples.CHANGE_SUBSCRIPTION,
    ),
    destroy=operation(204, None, "not_found"),
    pause=operation(
        200, serializers.SubscriptionSerializer, "not_found", request=None, examples=examples.PAUSE
    ),
    resume=operation(
        200,
        serializers.SubscriptionSerializer,
        "not_found",
        "events_pruned",
        request=None,
        examples=examples.RESUME,
    ),
    replay=operation(
        200,
        serializers.SubscriptionSerializer,
        *ON_BODIES,
        *ON_CURSORS,
        "not_found",
        request=serializers.ReplayRequest,
        examples=examples.REPLAY,
    ),
    rotate_secret=operation(
        200,
        serializers.NewSubscriptionSerializer,
        "not_found",
        "not_a_webhook",
        request=None,
        examples=examples.ROTATE_SECRET,
    ),
    test=operation(200, serializers.TestSerializer, "not_found", request=None, examples=examples.TEST),
)
