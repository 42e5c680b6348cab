"""The pages of events: what happened, and who was told of it."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import BigIntegerField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events import deliveries, resources
from events.models import PART, Placement
from ledger.callers import ActorKind
from office.admin import SearchedAdmin, parse_id
from office.lists import columns as exports
from office.lists.events import EventForm
from office.templatetags.ledger import column, link, moment


@admin.register(Placement)
class EventAdmin(SearchedAdmin):
    """The events in the feed. An event is found by its position, since Django's admin takes no key of two
    columns; one that waits for its position is on no page of its own."""

    subject = "event"
    change_form_template = "admin/event.html"
    list_display = readonly_fields = (
        "position",
        column(_("type"), lambda place: place.event.type),
        column(
            _("account"),
            lambda place: place.event.account_id and link("accounts_account", place.stream, place.stream),
        ),
        "sequence",
        column(_("recorded at"), lambda place: moment(place.event.recorded_at)),
    )
    list_form = EventForm
    exported = exports.OF_EVENTS
    nothing = _("No events.")
    ordering = ("-part", "-position")
    list_select_related = ("event",)
    search_help_text = _("A position in the feed, or the id of an account or of a user")

    def has_view_permission(self, request: HttpRequest, obj: Placement | None = None) -> bool:
        return request.user.has_perm("events.view_event")

    has_module_permission = has_view_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        return Placement.objects.filter(part=PART).select_related("event")

    def search(self, rows: QuerySet[Placement], text: str) -> QuerySet[Placement]:
        """By an index each, and in the order of that index: a stream's events have places in their order."""
        text = text.strip()
        if not text:
            return rows
        if text.isascii() and text.isdecimal():
            return rows.filter(position=min(int(text[:20]), BigIntegerField.MAX_BIGINT))
        stream = parse_id(text)
        return rows.filter(stream=stream).order_by("-sequence") if stream else rows.none()

    def name(self, obj: Placement) -> str:
        return f"{obj.event.type}, {obj.position}"

    def describe(self, request: HttpRequest, obj: Placement) -> dict[str, Any]:
        told = resources.find([obj.event]).get(obj.event.pk)
        actor = (
            get_user_model()._default_manager.filter(pk=told.actor).first() if told and told.actor else None
        )
        return {
            "traced": deliveries.trace([obj.event])[0],
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "told": told,
            "actor": actor,
            "actor_kind": ActorKind(told.actor_kind).label if told else "",
            "data": json.dumps(told and told.data, indent=2, ensure_ascii=False),
            "before": json.dumps(told.before, indent=2, ensure_ascii=False) if told and told.before else "",
        }
