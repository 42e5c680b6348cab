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

from events import errors, subscriptions
from events.delivery import send_test
from events.models import Cursor, Event, Subscription, parse_cursor
from ledger.errors import LedgerError
from office.actions import Command, Refusal
from office.admin import OfficeAdmin, parse_id
from office.forms import ReasonForm
from office.pages.lists import SearchedAdmin, column
from office.templatetags.ledger import link
from rest.middleware import get_request_id

CHANGE = "events.change_subscription"
LABELS = {"ACTIVE": "success", "PAUSED": "warning", "DISABLED": "danger"}
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
        raise Refusal(
            WORDS.get(type(error), error.detail), field="after" if "after" in asked else None
        ) from None


def change(
    domain: Callable[..., Any],
    done: Any,
    request: HttpRequest,
    subscription: Subscription,
    asked: dict[str, Any],
) -> str:
    """Runs a function of `events.subscriptions`; `done` says so to staff. The reason is for the log."""
    ask(domain, id=subscription.id, **{name: asked[name] for name in asked if name != "reason"})
    return str(done)


def test(request: HttpRequest, subscription: Subscription, asked: dict[str, Any]) -> str:
    error = ask(send_test, subscription=subscription, request_id=get_request_id(request))
    if error is not None:
        raise Refusal(_("It was not delivered: %(error)s") % {"error": error})
    return str(_("Delivered: the receiver has taken the test."))


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
            run=partial(
                change,
                subscriptions.pause,
                _("Paused. What was being sent at this moment may still arrive."),
            ),
            applies=lambda subscription: subscription.is_active,
            note=_("Nothing is sent until it is resumed. It falls behind meanwhile, and then catches up."),
        ),
        Command(
            name="resume",
            label=_("Resume"),
            permission=CHANGE,
            run=partial(change, subscriptions.resume, _("Active again. It goes on from its cursor.")),
            applies=lambda subscription: not subscription.is_active,
        ),
        Command(
            name="replay",
            label=_("Replay"),
            permission=CHANGE,
            run=partial(
                change,
                subscriptions.replay,
                _("The cursor is moved. What comes after it is sent again."),
            ),
            form=ReplayForm,
            note=_(
                "The receiver hears of events again that it has heard of already. It must know them again."
            ),
            tell=lambda asked: str(asked["after"] or ""),
            is_dangerous=True,
        ),
    )
    show_types = column(_("types"), lambda subscription: ", ".join(subscription.types) or _("all"))
    show_status = column(
        _("status"),
        lambda subscription: (subscription.status, subscription.get_status_display()),
        label=LABELS,
    )
    show_events = column(_("events behind"), lambda subscription: subscription.lag_events)
    show_seconds = column(_("seconds behind"), lambda subscription: round(subscription.lag_seconds))
    show_error = column(_("last error"), lambda subscription: subscription.last_error or "")
    show_cursor = column(_("cursor"), lambda subscription: str(subscription.cursor))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return Subscription.objects.with_lag()

    @admin.display(description=_("subscription"))
    def show_name(self, subscription: Subscription) -> str:
        name = str(subscription)
        return name if len(name) <= URL_SHOWN else f"{name[:URL_SHOWN]}…"

    @admin.display(description=_("who made it"))
    def show_actor(self, subscription: Subscription) -> str:
        actor = get_user_model()._default_manager.filter(pk=subscription.actor).first()
        return link("accounts_user", actor.pk, actor) if actor else str(subscription.actor)


@admin.register(Event)
class EventAdmin(SearchedAdmin):
    subject_template = "admin/event.html"
    list_display = ("id", "type", "show_account", "account_sequence", "recorded_at", "request_id")
    facts = list_display
    ordering = ("-id",)
    search_help_text = _("The id of an event or of an account")
    show_account = column(
        _("account"),
        lambda event: event.account_id and link("accounts_account", event.account_id, event.account_id),
    )

    def search(self, rows: QuerySet[Event], words: str) -> QuerySet[Event]:
        """By an index each, and in the order of that index."""
        words = words.strip()
        if not words:
            return rows
        if words.isascii() and words.isdecimal():
            return rows.filter(id=min(int(words[:20]), BigIntegerField.MAX_BIGINT))
        account_id = parse_id(words)
        return rows.filter(account_id=account_id).order_by("-account_sequence") if account_id else rows.none()

    def describe(self, request: HttpRequest, subject: Event) -> dict[str, Any]:
        return {
            "traced": subscriptions.trace([subject])[0],
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "data": json.dumps(subject.data, indent=2, ensure_ascii=False),
        }
