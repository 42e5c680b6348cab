"""The pages of subscriptions: how they are getting on, and what operations can do about it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from events import errors, subscriptions
from events.delivery import send_test
from events.models import Cursor, Subscription, parse_cursor
from ledger.errors import LedgerError
from office.actions import Command, Refusal
from office.admin import OfficeAdmin
from office.forms import ReasonForm
from office.links import link
from rest.middleware import get_request_id

Status = Subscription.Status
CHANGE = "events.change_subscription"
LABELS = {Status.ACTIVE: "success", Status.PAUSED: "warning", Status.DISABLED: "danger"}
URL_SHOWN = 60
WORDS = {
    errors.FeedStopped: _(
        "The database was restored or has failed over: the feed waits for an operator (new_feed_epoch)."
    ),
    errors.FeedEpochChanged: _("This cursor is of a history that a restore or a failover has ended."),
    errors.CursorAheadOfFeed: _("This cursor is ahead of the feed."),
    errors.EventsPruned: _("Events after this cursor are not kept any more. Replay it from a later one."),
    errors.SubscriptionNotFound: _("There is no such subscription any more."),
    errors.Busy: _("Others are waiting already. Send it again."),
}


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


def ask(domain: Callable[..., Any], **asked: Any) -> Any:
    """One call of the domain, its refusals in words."""
    try:
        return domain(**asked)
    except LedgerError as error:
        field = "after" if "after" in asked else None
        raise Refusal(WORDS.get(type(error), error.detail), field) from None


def pause(request: HttpRequest, subscription: Subscription, asked: dict[str, Any]) -> str:
    ask(subscriptions.pause, id=subscription.id)
    return gettext("Paused. What was being sent at this moment may still arrive.")


def resume(request: HttpRequest, subscription: Subscription, asked: dict[str, Any]) -> str:
    ask(subscriptions.resume, id=subscription.id)
    return gettext("Active again. It goes on from its cursor.")


def replay(request: HttpRequest, subscription: Subscription, asked: dict[str, Any]) -> str:
    ask(subscriptions.replay, id=subscription.id, after=asked["after"])
    return gettext("The cursor is moved. What comes after it is sent again.")


def test(request: HttpRequest, subscription: Subscription, asked: dict[str, Any]) -> str:
    error = ask(send_test, subscription=subscription, request_id=get_request_id(request))
    if error is not None:
        raise Refusal(gettext("It was not delivered: %(error)s") % {"error": error})
    return gettext("Delivered: the receiver has taken the test.")


@admin.register(Subscription)
class SubscriptionAdmin(OfficeAdmin):
    """The secret of a webhook is on none of these pages: only the API shows it, when it is made."""

    list_display = ("show_name", "show_types", "show_status", "show_events", "show_seconds", "show_error")
    list_display_links = ("show_name",)
    facts = (
        "kind",
        "url",
        "show_types",
        "status",
        "show_cursor",
        "show_events",
        "show_seconds",
        "attempts",
        "next_attempt_at",
        "sent",
        "failed",
        "unroutable",
        "last_sent_at",
        "show_error",
        "last_error_at",
        "created_at",
        "show_actor",
    )
    ordering = ("-id",)
    commands = (
        Command(
            name="test",
            label=_("Send a test"),
            permission=CHANGE,
            run=test,
            note=_("A message of the type subscription.test is sent now, beside the feed."),
            is_atomic=False,  # the receiver may take its time
        ),
        Command(
            name="pause",
            label=_("Pause"),
            permission=CHANGE,
            run=pause,
            applies=lambda subscription: subscription.is_active,
            note=_("Nothing is sent until it is resumed. It falls behind meanwhile, and then catches up."),
        ),
        Command(
            name="resume",
            label=_("Resume"),
            permission=CHANGE,
            run=resume,
            applies=lambda subscription: not subscription.is_active,
        ),
        Command(
            name="replay",
            label=_("Replay"),
            permission=CHANGE,
            run=replay,
            form=ReplayForm,
            note=_(
                "The receiver hears of events again that it has heard of already. It must know them again."
            ),
            tell=lambda asked: str(asked["after"] or ""),
            is_dangerous=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return Subscription.objects.with_lag()

    @admin.display(description=_("subscription"))
    def show_name(self, subscription: Subscription) -> str:
        name = str(subscription)
        return name if len(name) <= URL_SHOWN else f"{name[:URL_SHOWN]}…"

    @admin.display(description=_("types"))
    def show_types(self, subscription: Subscription) -> str:
        return ", ".join(subscription.types) or gettext("all")

    @display(description=_("status"), label=LABELS)  # type: ignore[untyped-decorator]
    def show_status(self, subscription: Subscription) -> Any:
        return subscription.status, subscription.get_status_display()

    @admin.display(description=_("events behind"))
    def show_events(self, subscription: Subscription) -> int:
        return subscription.lag_events

    @admin.display(description=_("seconds behind"))
    def show_seconds(self, subscription: Subscription) -> int:
        return round(subscription.lag_seconds)

    @admin.display(description=_("last error"))
    def show_error(self, subscription: Subscription) -> str:
        return subscription.last_error or ""

    @admin.display(description=_("cursor"))
    def show_cursor(self, subscription: Subscription) -> str:
        return str(subscription.cursor)

    @admin.display(description=_("who made it"))
    def show_actor(self, subscription: Subscription) -> str:
        actor = get_user_model()._default_manager.filter(pk=subscription.actor).first()
        if actor is None:
            return str(subscription.actor)
        return link("accounts_user", actor.pk, actor)
