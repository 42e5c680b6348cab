"""The pages of events and of subscriptions: how they are getting on, and what operations can do about it."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import BigIntegerField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from events import resources, subscriptions
from events.delivery import send_test
from events.models import PART, Cursor, Placement, Subscription, parse_cursor
from ledger.callers import ActorKind
from office.actions import Command, ReasonForm
from office.admin import OfficeAdmin, SearchedAdmin, parse_id
from office.lists import columns as exports
from office.lists.events import EventForm, SubscriptionForm
from office.templatetags.ledger import bdi, column, link, moment
from rest.middleware import get_caller

CHANGE = "events.change_subscription"
NAME_LENGTH_SHOWN = 60


class ReplayForm(ReasonForm):
    after = forms.CharField(
        label=_("After which cursor"),
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Empty: from the beginning of what is kept. A later one than its own skips what is between."
        ),
    )
    field_order = ("after", "reason")

    def clean_after(self) -> Cursor | None:
        text = self.cleaned_data["after"]
        cursor = parse_cursor(text) if text else None
        if text and cursor is None:
            raise forms.ValidationError(_("This is not a cursor."))
        return cursor


def change(
    domain: Callable[..., Any], request: HttpRequest, subscription: Subscription, asked: dict[str, Any]
) -> None:
    """Runs a function of `events.subscriptions` with what the form asked for."""
    domain(id=subscription.id, caller=get_caller(request), **asked)


def test(request: HttpRequest, subscription: Subscription, asked: dict[str, Any]) -> None:
    """Sends a test. Raises `ValidationError` if it was not delivered."""
    error = send_test(subscription, caller=get_caller(request))
    if error is not None:
        raise forms.ValidationError(_("It was not delivered: %(error)s") % {"error": error})


def shorten_name(subscription: Subscription) -> str:
    name = str(subscription)
    return name if len(name) <= NAME_LENGTH_SHOWN else f"{name[:NAME_LENGTH_SHOWN]}…"


TYPES = column(_("types"), lambda subscription: ", ".join(subscription.types) or _("all"))
EVENTS_BEHIND = column(_("events behind"), lambda subscription: subscription.lag_events)
SECONDS_BEHIND = column(_("seconds behind"), lambda subscription: round(subscription.lag_seconds))
LAST_ERROR = column(_("last error"), lambda subscription: bdi(subscription.last_error))


@admin.register(Subscription)
class SubscriptionAdmin(OfficeAdmin):
    """The secret of a webhook is on none of these pages: only the API shows it, when it is made."""

    list_display = (
        column(_("subscription"), shorten_name),
        TYPES,
        column(
            _("status"),
            lambda subscription: (subscription.status, subscription.get_status_display()),
            label={"ACTIVE": "success", "PAUSED": "warning", "DISABLED": "danger"},
        ),
        EVENTS_BEHIND,
        SECONDS_BEHIND,
        LAST_ERROR,
    )
    readonly_fields = (
        "kind",
        "url",
        TYPES,
        "status",
        column(_("cursor"), lambda subscription: subscription.cursor.text),
        EVENTS_BEHIND,
        SECONDS_BEHIND,
        "attempts",
        "next_attempt_at",
        "sent",
        "failed",
        "unroutable",
        "last_sent_at",
        LAST_ERROR,
        "last_error_at",
        "created_at",
        "show_actor",
    )
    list_form = SubscriptionForm
    nothing = _("No subscriptions.")
    ordering = ("-id",)
    commands = (
        Command(
            name="test",
            label=_("Send a test"),
            permission=CHANGE,
            run=test,
            done=_("Delivered: the receiver has taken the test."),
            note=_("A message of the type subscription.test is sent now, beside the feed."),
            is_atomic=False,  # the receiver may take its time
        ),
        Command(
            name="pause",
            label=_("Pause"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, subscriptions.pause),
            done=_("Paused. What was being sent at this moment may still arrive."),
            applies=lambda subscription: subscription.is_active,
            note=_("Nothing is sent until it is resumed. It falls behind meanwhile, and then catches up."),
        ),
        Command(
            name="resume",
            label=_("Resume"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, subscriptions.resume),
            done=_("Active again. It goes on from its cursor."),
            applies=lambda subscription: not subscription.is_active,
        ),
        Command(
            name="replay",
            label=_("Replay"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, subscriptions.replay),
            done=_("The cursor is moved. What comes after it is sent again."),
            form=ReplayForm,
            note=_(
                "The receiver hears of events again that it has heard of already. It must know them again."
            ),
            is_dangerous=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return Subscription.objects.with_lag()

    @admin.display(description=_("who made it"))
    def show_actor(self, subscription: Subscription) -> str:
        actor = get_user_model()._default_manager.filter(pk=subscription.actor).first()
        return link("accounts_user", actor.pk, actor) if actor else str(subscription.actor)


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
        return str(obj.event)

    def describe(self, request: HttpRequest, obj: Placement) -> dict[str, Any]:
        told = resources.find([obj.event]).get(obj.event.pk)
        actor = (
            get_user_model()._default_manager.filter(pk=told.actor).first() if told and told.actor else None
        )
        return {
            "traced": subscriptions.trace([obj.event])[0],
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "told": told,
            "actor": actor,
            "actor_kind": ActorKind(told.actor_kind).label if told else "",
            "data": json.dumps(told and told.data, indent=2, ensure_ascii=False),
            "before": json.dumps(told.before, indent=2, ensure_ascii=False) if told and told.before else "",
        }
