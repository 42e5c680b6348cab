"""The pages of transactions, of holds, which show the transactions that captured them, and of audits."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Hold, User
from events.subscriptions import trace
from office import explanations, related
from office.actions import Command
from office.admin import OfficeAdmin, parse_id
from office.pages.corrections import REVERSE
from office.pages.lists import MovementAdmin, column
from office.templatetags.ledger import label, moment, show_number
from rest.middleware import get_request_id
from rest.permissions import get_caller_id
from transactions import corrections, posting, reading
from transactions.models import AuditRun, Correction, Transaction
from transactions.posting.commands import Release
from transactions.reading import queries, search

CAPTURES_MAX = 100  # on the page of a hold


@admin.register(Transaction)
class TransactionAdmin(MovementAdmin):
    """The whole story of a movement of money, and taking it back."""

    subject_template = "admin/transaction.html"
    commands = (REVERSE,)
    list_display = ("recorded", "user", "type", "number", "state", "why", "balance", "reference")
    ordering = ("-recorded_at", "-id")
    search_help_text = _("An id or a whole reference")
    recorded = column(_("recorded at"), lambda row: moment(row.recorded_at))
    number = column(_("amount"), lambda row: show_number(row.change, row.account.currency))
    why = column(_("why"), lambda row: _("reversed later") if row.reversed_by else explanations.explain(row))
    balance = column(_("balance after"), lambda row: show_number(row.balance_after, row.account.currency))

    def name(self, subject: Transaction) -> str:
        return str(subject.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        return queries.with_resources(super().get_queryset(request)).select_related("account__user")

    def search(self, rows: QuerySet[Transaction], words: str) -> QuerySet[Transaction]:
        found = search.find_by_reference(words)
        if id := parse_id(words):
            found = [*found, *search.find_by_id(id).transactions]
        return rows.filter(id__in=[row.id for row in found])

    def describe(self, request: HttpRequest, subject: Transaction) -> dict[str, Any]:
        return {
            "transaction": subject,
            "why": explanations.describe_decline(subject, subject.account.currency),
            "balance_before": reading.read_balance_before(subject),
            "actor": User.objects.filter(id=subject.actor).first(),
            "other_leg": list(filter(None, [related.find_other_leg(subject)])),
            "correction": Correction.objects.filter(id__in=filter(None, [subject.id, subject.transfer]))
            .select_related("maker", "checker")
            .first(),
            "waiting": corrections.find_waiting_reversal(subject.id),
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "traced": trace(related.find_events(subject)),
            "chain_hash": bytes(subject.chain_hash).hex(),
        }


def release(request: HttpRequest, hold: Hold, asked: dict[str, Any]) -> str:
    command = Release(hold_id=hold.id, account_id=hold.account_id)
    with explanations.refusals():
        posting.post([command], actor=get_caller_id(request), request_id=get_request_id(request))
    return str(_("The hold was released: what it had left is available again."))


@admin.register(Hold)
class HoldAdmin(MovementAdmin):
    """Money that is set aside, by whom and until when."""

    subject_template = "admin/hold.html"
    commands = (
        Command(
            name="release",
            label=_("Release"),
            permission="accounts.release_hold",
            run=release,
            applies=lambda hold: hold.status_now == Hold.Status.OPEN,
            note=_(
                "What the hold has left becomes available again. Whoever placed it can capture it no more."
            ),
            is_dangerous=True,
        ),
    )
    list_display = ("placed", "user", "number", "captures", "state", "expires", "reference")
    ordering = ("-created_at", "-id")
    search_help_text = _("The id of a hold")
    placed = column(_("placed at"), lambda hold: moment(hold.created_at))
    number = column(_("amount"), lambda hold: show_number(hold.amount, hold.account.currency))
    captures = column(_("captured"), lambda hold: show_number(hold.captured, hold.account.currency))
    state = column(_("status"), lambda hold: label(hold.status_now, hold.status_now.label))
    expires = column(_("expires at"), lambda hold: moment(hold.expires_at))

    def name(self, subject: Hold) -> str:
        return str(subject.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return Hold.objects.with_clock().select_related("account__user")

    def search(self, rows: QuerySet[Hold], words: str) -> QuerySet[Hold]:
        id = parse_id(words)
        return rows.filter(id=id) if id else rows.none()

    def describe(self, request: HttpRequest, subject: Hold) -> dict[str, Any]:
        captures = Transaction.objects.filter(hold=subject.id)
        return {
            "hold": subject,
            "actor": User.objects.filter(id=subject.actor).first(),
            "captures": captures.select_related("account__user")[:CAPTURES_MAX],
            "why": explanations.describe_decline(subject, subject.account.currency),
        }


@admin.register(AuditRun)
class AuditRunAdmin(OfficeAdmin):
    """The audits that were made: how far each one saw, and whether the books were right."""

    list_display = ("finished", "verdict", "coverage", "accounts", "rows", "duration")
    ordering = ("-finished_at",)
    facts = ("verdict", "coverage", "accounts", "rows", "started", "finished", "duration", "seen")
    finished = column(_("finished at"), lambda run: moment(run.finished_at))
    started = column(_("started at"), lambda run: moment(run.started_at))
    seen = column(_("everything recorded was seen up to"), lambda run: moment(run.seen_through))
    coverage = column(
        _("covers"), lambda run: str(_("all accounts and all checks") if run.is_whole else _("a part"))
    )
    duration = column(
        _("seconds"), lambda run: round((run.finished_at - run.started_at) / timedelta(seconds=1), 1)
    )

    @admin.display(description=_("result"))
    def verdict(self, run: AuditRun) -> str:
        if run.findings == 0:
            return label("POSTED", str(_("clean")))
        return label("DECLINED", str(_("findings: %(count)s") % {"count": run.findings}))
