"""The pages of subscriptions: how they are getting on, and what operations can do about it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from events import attempts, subscriptions
from events.delivery import send_test
from events.models import PART, Cursor, Placement, Subscription, parse_cursor
from office.actions import Command, ReasonForm
from office.admin import OfficeAdmin
from office.lists.events import SubscriptionForm
from office.templatetags.ledger import column, link
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


def show_whose(subscription: Subscription) -> str:
    """The account or the user of it, or that it is of all."""
    if subscription.account:
        return link("accounts_account", subscription.account, subscription.account)
    if subscription.user:
        user = get_user_model()._default_manager.filter(pk=subscription.user).first()
        return link("accounts_user", subscription.user, user or subscription.user)
    return str(_("all"))


TYPES = column(_("types"), lambda subscription: ", ".join(subscription.types) or _("all"))
EVENTS_BEHIND = column(_("events behind"), lambda subscription: subscription.lag_events)
SECONDS_BEHIND = column(_("seconds behind"), lambda subscription: round(subscription.lag_seconds))
LAST_ERROR = column(
    _("last error"),
    lambda subscription: render_to_string("office/last_error.html", {"subscription": subscription}),
)
HEALTH = column(
    _("status"),
    lambda subscription: render_to_string("office/subscription_state.html", {"subscription": subscription}),
)


@admin.register(Subscription)
class SubscriptionAdmin(OfficeAdmin):
    """The secret of a webhook is on none of these pages: only the API shows it, when it is made. What may be
    a secret in its url is shown to who may change it."""

    change_form_template = "admin/subscription.html"
    list_display = (
        column(_("subscription"), shorten_name),
        TYPES,
        HEALTH,
        EVENTS_BEHIND,
        SECONDS_BEHIND,
        LAST_ERROR,
    )
    readonly_fields = (
        HEALTH,
        "kind",
        column(_("url"), lambda subscription: subscription.masked_url),
        TYPES,
        column(_("whose events"), show_whose),
        column(_("cursor"), lambda subscription: subscription.cursor.text),
        EVENTS_BEHIND,
        SECONDS_BEHIND,
        "sent",
        "failed",
        "unroutable",
        "last_sent_at",
        LAST_ERROR,
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
            name="try-now",
            label=_("Try now"),
            permission=CHANGE,
            is_recorded=True,
            run=partial(change, subscriptions.try_now),
            done=_("It is tried within a second. Look here again."),
            applies=lambda subscription: subscription.is_active and subscription.next_attempt_at is not None,
            note=_("It does not wait for its next attempt. Should it fail, that counts like any other one."),
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

    def describe(self, request: HttpRequest, obj: Subscription) -> dict[str, Any]:
        made = attempts.read(obj)
        positions = [attempt.position for attempt in made if attempt.position is not None]
        in_feed = Placement.objects.filter(part=PART, position__in=positions)
        return {
            "whole_url": obj.url if obj.url != obj.masked_url and request.user.has_perm(CHANGE) else None,
            "attempts": made,
            "in_feed": set(in_feed.values_list("position", flat=True)),
            "may_see_events": request.user.has_perm("events.view_event"),
        }

    @admin.display(description=_("who made it"))
    def show_actor(self, subscription: Subscription) -> str:
        actor = get_user_model()._default_manager.filter(pk=subscription.actor).first()
        return link("accounts_user", actor.pk, actor) if actor else str(subscription.actor)
