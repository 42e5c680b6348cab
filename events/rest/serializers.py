"""What requests about the feed and its subscriptions hold, and what answers look like."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from events.feed import READ_MAX
from events.models import CURSOR_LENGTH, URL_LENGTH_MAX, Cursor, Event, Subscription, parse_cursor
from ledger.callers import ActorKind
from rest import fields
from rest.serializers import StrictSerializer


class CursorField(fields.TextField):
    """A cursor that the feed gave."""

    def __init__(self, **options: Any) -> None:
        super().__init__(length_min=1, length_max=CURSOR_LENGTH, **options)

    def to_internal_value(self, value: Any) -> Cursor:  # type: ignore[override]
        cursor = parse_cursor(super().to_internal_value(value))
        if cursor is None:
            raise fields.refuse("invalid_cursor", "Not a cursor that the feed gave.")
        return cursor


class EventsQuery(StrictSerializer):
    after = CursorField(required=False, help_text="From `cursor`; default: the oldest event that is kept")
    types = fields.ChoicesParameter(choices=Event.Type, required=False, help_text="Some types, with commas")
    account = fields.UUIDField(required=False)
    after_sequence = fields.NumberParameter(
        minimum=0,
        maximum=10**18 - 1,
        required=False,
        help_text="With `account`, instead of `after`: the events of that account after this one of its own",
    )
    limit = fields.NumberParameter(minimum=1, maximum=READ_MAX, required=False, help_text="Default: 100")
    wait = fields.NumberParameter(
        minimum=0,
        maximum=10,
        required=False,
        help_text="Seconds to wait for an event when there is none; under load the answer may come sooner",
    )


class SubscriptionRequest(StrictSerializer):
    kind = fields.ChoiceField(choices=Subscription.Kind)
    url = fields.TextField(
        length_min=1,
        length_max=URL_LENGTH_MAX,
        required=False,
        help_text="Of a webhook: https, at a public address, or at one that the operator has allowed",
    )
    types = fields.ChoicesField(choices=Event.Type, required=False, help_text="Default: all")
    account = fields.UUIDField(required=False, help_text="Whose events alone are sent")
    user = fields.UUIDField(
        required=False, help_text="Instead of `account`: whose events, and their accounts', are sent"
    )


class SubscriptionChanges(StrictSerializer):
    url = fields.TextField(length_min=1, length_max=URL_LENGTH_MAX, required=False)
    types = fields.ChoicesField(choices=Event.Type, required=False, help_text="An empty list: all")


class ReplayRequest(StrictSerializer):
    body_is_optional = True
    after = CursorField(required=False, help_text="Default: before the oldest event that is kept")


class ActorSerializer(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True, help_text="Of `ledger`: the command that caused it")
    kind = serializers.ChoiceField(choices=ActorKind.choices)


class EventSerializer(serializers.Serializer):
    id = serializers.CharField(help_text="Opaque")
    stream = serializers.UUIDField(help_text="The account, or the user where it is of no account")
    sequence = serializers.IntegerField(help_text="Among the stream's events, without gaps")
    epoch = serializers.UUIDField(help_text="Changes when a restore or a failover has ended a history")
    position = serializers.IntegerField(
        allow_null=True,
        help_text="In the feed, without gaps; null for who sees the events of their own accounts only",
    )
    type = serializers.ChoiceField(choices=Event.Type.choices)
    account = serializers.UUIDField(allow_null=True)
    account_sequence = serializers.IntegerField(allow_null=True, help_text="Of an account: its `sequence`")
    recorded_at = serializers.DateTimeField()
    request_id = serializers.CharField(allow_blank=True)
    actor = ActorSerializer()
    data = serializers.DictField(help_text="The resource, as it was then")  # type: ignore[assignment]
    before = serializers.DictField(
        allow_null=True, help_text="Of a change: those parts of `data` that were otherwise, as they were"
    )
    reason = serializers.CharField(allow_null=True, help_text="Why, where somebody said it")


@extend_schema_serializer(many=False)  # a page of the feed, not a list of pages
class EventsSerializer(serializers.Serializer):
    events = EventSerializer(many=True)
    cursor = serializers.CharField(help_text="To be sent as `after`. Opaque, and never twice the same text")
    has_more = serializers.BooleanField()


class LagSerializer(serializers.Serializer):
    events = serializers.IntegerField()
    seconds = serializers.FloatField(help_text="The age of the oldest event that was not sent")


class SubscriptionSerializer(serializers.Serializer[Subscription]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Subscription.Kind.choices)
    url = serializers.CharField(
        allow_null=True, help_text="Without its path and its query for who may not change it"
    )
    types = serializers.ListField(child=serializers.CharField(), help_text="Empty: all")
    account = serializers.UUIDField(allow_null=True, help_text="Whose events alone are sent")
    user = serializers.UUIDField(allow_null=True, help_text="Whose events, and their accounts', are sent")
    status = serializers.ChoiceField(choices=Subscription.Status.choices)
    cursor = serializers.CharField(help_text="Everything up to here was sent")
    lag = LagSerializer()
    attempts = serializers.IntegerField(help_text="That failed, of the next event")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    sent = serializers.IntegerField()
    failed = serializers.IntegerField()
    unroutable = serializers.IntegerField(help_text="That the broker had no queue for")
    last_sent_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    last_error_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewSubscriptionSerializer(SubscriptionSerializer):
    secret = serializers.CharField(allow_null=True, help_text="Of a webhook. Shown this once")


class TestSerializer(serializers.Serializer):
    delivered = serializers.BooleanField()
    error = serializers.CharField(allow_null=True)


class AttemptSerializer(serializers.Serializer):
    event = serializers.CharField(
        allow_null=True, help_text="Its `id`; null of a test, and when the event was pruned"
    )
    position = serializers.IntegerField(allow_null=True, help_text="Of the event, in the feed; null: a test")
    began_at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField(help_text="That it took")
    delivered = serializers.BooleanField()
    status_code = serializers.IntegerField(
        allow_null=True, help_text="Of HTTP; null of the broker, and where none came"
    )
    error = serializers.CharField(allow_null=True)


class AttemptsSerializer(serializers.Serializer):
    attempts = AttemptSerializer(many=True)
