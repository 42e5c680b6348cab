"""The filters of events, of subscriptions and of audits."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events.models import Event, Subscription
from office.lists.fields import Choice, Id, Moment, YesOrNo
from office.lists.forms import ListForm, within

LOOKED_AT_MAX_WITH_EVENTS = 250  # of each place its event is looked up, which is four pages


class EventForm(ListForm):
    """Along the feed; those of an account or a user in their own order."""

    type = Choice([(type, type) for type in Event.Type.values], label=_("Type"))
    stream = Id(label=_("Id of the account or user"))
    since = Moment(label=_("From"))
    until = Moment(label=_("To"), is_end=True)

    looked_at_max = LOOKED_AT_MAX_WITH_EVENTS
    carried = {"stream": lambda id: within("stream", id)}
    tried = {
        "type": "event__type",
        "since": "event__recorded_at__gte",
        "until": "event__recorded_at__lte",
    }

    def find_order(self, order: tuple[str, ...]) -> tuple[str, ...]:
        return ("-stream", "-sequence") if self.get("stream") else order


class SubscriptionForm(ListForm):
    kind = Choice([("webhook", "webhook"), ("broker", "RabbitMQ")], label=_("Kind"))
    status = Choice(Subscription.Status.choices, label=_("Status"))
    failing = YesOrNo(label=_("Last attempt failed"))

    carried = {
        "kind": "kind",
        "status": "status",
        "failing": lambda yes: Q(attempts__gt=0) if yes else Q(attempts=0),
    }


class AuditForm(ListForm):
    findings = YesOrNo(label=_("With findings"))
    whole = YesOrNo(label=_("All accounts and all checks"))

    carried = {
        "findings": lambda yes: Q(findings__gt=0) if yes else Q(findings=0),
        "whole": "is_whole",
    }
