"""Transactions and audits; the other pages are in files of their own."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.tracing import trace
from office import explanations, related
from office.admin import OfficeAdmin
from office.links import link
from office.pages import corrections as correction_pages
from office.pages import find
from office.paging import parse_id
from office.site import OfficeSite
from office.templatetags.labels import label
from office.templatetags.ledger import moment, show_number
from transactions import corrections, reading
from transactions.models import AuditRun, Correction, Transaction
from transactions.reading import queries, search


@admin.register(Transaction)
class TransactionAdmin(OfficeAdmin):
    """The whole story of a movement of money, and taking it back."""

    subject_template = "admin/transaction.html"
    commands = (correction_pages.REVERSE,)
    list_display = ("recorded", "user", "type", "number", "state", "why", "balance", "reference")
    ordering = ("-recorded_at", "-id")
    search_fields = ("id",)
    search_help_text = _("An id or a whole reference")

    def name(self, subject: Transaction) -> str:
        return str(subject.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        return queries.with_resources(super().get_queryset(request)).select_related("account__user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transaction], search_term: str
    ) -> tuple[QuerySet[Transaction], bool]:
        if not search_term:
            return queryset, False
        found = search.find_by_reference(search_term)
        if id := parse_id(search_term):
            found = [*found, *search.find_by_id(id).transactions]
        return queryset.filter(id__in=[row.id for row in found]), False

    @admin.display(description=_("recorded at"))
    def recorded(self, row: Transaction) -> str:
        return moment(row.recorded_at)

    @admin.display(description=_("user"))
    def user(self, row: Transaction) -> SafeString:
        return link("accounts_account", row.account_id, row.account.user)

    @admin.display(description=_("amount"))
    def number(self, row: Transaction) -> SafeString:
        return show_number(row.change, row.account.currency)

    @admin.display(description=_("status"))
    def state(self, row: Transaction) -> SafeString:
        return label(row.status, row.get_status_display())

    @admin.display(description=_("why"))
    def why(self, row: Transaction) -> str:
        if row.reversed_by:
            return str(_("reversed later"))
        return explanations.explain(row)

    @admin.display(description=_("balance after"))
    def balance(self, row: Transaction) -> SafeString:
        return show_number(row.balance_after, row.account.currency)

    def describe(self, request: HttpRequest, subject: Transaction) -> dict[str, Any]:
        return {
            "transaction": subject,
            "why": explanations.describe_decline(subject, subject.account.currency),
            "balance_before": reading.read_balance_before(subject),
            "actor": User.objects.filter(id=subject.actor).first(),
            "other_leg": list(filter(None, [related.find_other_leg(subject)])),
            "correction": Correction.objects.filter(id__in=related.list_ids_of_command(subject))
            .select_related("maker", "checker")
            .first(),
            "waiting": corrections.find_waiting_reversal(subject.id),
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "traced": trace(related.find_events(subject)),
            "chain_hash": bytes(subject.chain_hash).hex(),
        }


@admin.register(AuditRun)
class AuditRunAdmin(OfficeAdmin):
    """The audits that were made: how far each one saw, and whether the books were right."""

    list_display = ("finished", "verdict", "coverage", "accounts", "rows", "duration")
    ordering = ("-finished_at",)
    facts = ("verdict", "coverage", "accounts", "rows", "started", "finished", "duration", "seen")

    @admin.display(description=_("finished at"))
    def finished(self, run: AuditRun) -> str:
        return moment(run.finished_at)

    @admin.display(description=_("started at"))
    def started(self, run: AuditRun) -> str:
        return moment(run.started_at)

    @admin.display(description=_("everything recorded was seen up to"))
    def seen(self, run: AuditRun) -> str:
        return moment(run.seen_through)

    @admin.display(description=_("result"))
    def verdict(self, run: AuditRun) -> SafeString:
        if run.findings == 0:
            return label("POSTED", str(_("clean")))
        return label("DECLINED", str(_("findings: %(count)s") % {"count": run.findings}))

    @admin.display(description=_("covers"))
    def coverage(self, run: AuditRun) -> str:
        return str(_("all accounts and all checks") if run.is_whole else _("a part"))

    @admin.display(description=_("seconds"))
    def duration(self, run: AuditRun) -> float:
        return round((run.finished_at - run.started_at) / timedelta(seconds=1), 1)


OfficeSite.add_page("find/", find.find, "find")
