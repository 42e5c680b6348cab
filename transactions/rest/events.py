"""What the OpenAPI document says of events: what each type tells of, and how a webhook hears of it.

It is here, above of what events are about.
"""

from typing import Any

from drf_spectacular.utils import (
    OpenApiResponse,
    OpenApiWebhook,
    PolymorphicProxySerializer,
    extend_schema,
)
from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers

from accounts.models import Threshold
from accounts.rest.serializers import (
    AccountSerializer,
    ClaimSerializer,
    HoldSerializer,
    ThresholdSerializer,
    UserSerializer,
)
from events.models import Event
from events.rest.serializers import EventSerializer
from rest.fields import amount_text
from transactions.rest.serializers import TransactionSerializer

TEST = "subscription.test"


class CrossingSerializer(serializers.Serializer):
    """A threshold that was crossed, and what the account has at the end of the request that did it."""

    threshold = serializers.UUIDField()
    account = serializers.UUIDField()
    of = serializers.ChoiceField(choices=Threshold.Of.choices)
    amount = amount_text(help_text="Of the threshold")
    below = serializers.BooleanField(help_text="Whether it is less than the amount now")
    balance = amount_text()
    held = amount_text()
    available = amount_text()


class SubscriptionTestSerializer(serializers.Serializer):
    subscription = serializers.UUIDField()


# What events tell of, by how their types begin.
DATA: dict[str, type[serializers.Serializer[Any]]] = {
    "user": UserSerializer,
    "account": AccountSerializer,
    "transaction": TransactionSerializer,
    "hold": HoldSerializer,
    "claim": ClaimSerializer,
    "threshold": ThresholdSerializer,
    "balance": CrossingSerializer,
    "subscription": SubscriptionTestSerializer,
}
TYPES = [*map(str, Event.Type.values), TEST]


def make_event(name: str, data: type[serializers.Serializer[Any]]) -> type[EventSerializer]:
    """The envelope of the events whose types begin so."""
    types = [each for each in TYPES if each.startswith(f"{name}.")]
    members: dict[str, Any] = {
        "type": serializers.ChoiceField(choices=types),
        "data": data(help_text="As it was then"),
    }
    return type(f"{name.capitalize()}EventSerializer", (EventSerializer,), members)


@describe_as({"type": "string", "not": {"enum": TYPES}})
class OtherTypeField(serializers.Field[Any, Any, Any, Any]):
    """None of those of today."""


class OtherEventSerializer(EventSerializer):
    """An event of a type that is not known today: ignore it."""

    type = OtherTypeField()  # type: ignore[assignment]


KINDS = {name: make_event(name, data) for name, data in DATA.items()}
KNOWN = PolymorphicProxySerializer(
    "KnownEvent",
    {each: KINDS[each.partition(".")[0]] for each in TYPES},
    resource_type_field_name="type",
)
EVENT = PolymorphicProxySerializer("Event", [KNOWN, OtherEventSerializer], resource_type_field_name=None)
WEBHOOK = OpenApiWebhook(
    name="event",
    decorator=extend_schema(
        operation_id="receiveEvent",
        summary="Hear of an event",
        description="What a subscription of the kind `webhook` is sent, after the Standard Webhooks"
        " specification: one event after the other, each at least once. Verify `webhook-signature` with one"
        " of its libraries, answer 2xx within 15 seconds, and tell repetitions by the event's `id`.",
        request=EVENT,
        tags=["Subscriptions"],
        responses={
            204: OpenApiResponse(description="Taken: any 2xx is."),
            410: OpenApiResponse(description="Nobody wants it any more: the subscription is disabled."),
            503: OpenApiResponse(description="Not taken: anything else is sent again, later and later."),
        },
    ),
)
# Of the Standard Webhooks.
HEADERS = {
    "webhook-id": "The same for every attempt.",
    "webhook-timestamp": "Of the attempt, in seconds of Unix time.",
    "webhook-signature": "Of id, timestamp and body, by the secret; for 24 hours after a rotation by both.",
}


def finish_webhook(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A hook of drf-spectacular, which says neither headers nor security of webhooks."""
    result["webhooks"][WEBHOOK.name]["post"] |= {
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
                "description": description,
            }
            for name, description in HEADERS.items()
        ],
    }
    return result
