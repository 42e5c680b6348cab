"""The pages of events, and those of subscriptions."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import BigIntegerField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events import tracing
from events.models import Event
from office.admin import OfficeAdmin, parse_id
from office.templatetags.ledger import link


@admin.register(Event)
class EventAdmin(OfficeAdmin):
    subject_template = "admin/event.html"
    list_display = ("id", "type", "show_account", "account_sequence", "recorded_at", "request_id")
    facts = ("id", "type", "show_account", "account_sequence", "recorded_at", "request_id")
    ordering = ("-id",)
    search_fields = ("id",)  # see `get_search_results`
    search_help_text = _("The id of an event or of an account")

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[Event], words: str
    ) -> tuple[QuerySet[Event], bool]:
        """By an index each, and in the order of that index."""
        words = words.strip()
        if not words:
            return rows, False
        if words.isascii() and words.isdecimal():
            return rows.filter(id=min(int(words[:20]), BigIntegerField.MAX_BIGINT)), False
        account_id = parse_id(words)
        if account_id is None:
            return rows.none(), False
        return rows.filter(account_id=account_id).order_by("-account_sequence"), False

    def describe(self, request: HttpRequest, subject: Event) -> dict[str, Any]:
        [traced] = tracing.trace([subject])
        return {
            "traced": traced,
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "data": json.dumps(subject.data, indent=2, ensure_ascii=False),
        }

    @admin.display(description=_("account"))
    def show_account(self, event: Event) -> str | None:
        if event.account_id is None:
            return None
        return link("accounts_account", event.account_id, event.account_id)
