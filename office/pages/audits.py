"""The pages of audits: whether the books are right, as far as it was looked; and one of an account, now."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import Account
from office.actions import Command, ReasonForm
from office.admin import OfficeAdmin
from office.lists.events import AuditForm
from office.templatetags.ledger import NOTHING, column, label, link, moment, shift
from transactions import audits
from transactions.models import AuditRun

AUDIT = "transactions.add_auditrun"
# Rows that have a page of their own, by the table that a finding names.
PAGES = {
    "transactions_transaction": "transactions_transaction",
    "transactions_correction": "transactions_correction",
    "accounts_account": "accounts_account",
    "accounts_hold": "accounts_hold",
    "accounts_claim": "accounts_claim",
    "accounts_user": "accounts_user",
}


class AccountForm(ReasonForm):
    account = forms.UUIDField(
        label=_("Id of the account"),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("account", "reason")

    def clean_account(self) -> Account:
        account = Account._base_manager.filter(id=self.cleaned_data["account"]).first()
        if account is None:
            raise forms.ValidationError(_("There is no account of this id."))
        return account


def audit_account(request: HttpRequest, account: Account | None, asked: dict[str, Any]) -> HttpResponse:
    """Audits the account, or the one that the form names, and leads to what was found.

    Raises `ValidationError` for one of too many rows to be waited for.
    """
    audited: Account = account or asked["account"]
    if audited.seq > audits.ROWS_AT_ONCE:
        raise forms.ValidationError(
            _("It has %(rows)s rows, too many to wait for: an operator runs audit_balances --account %(id)s.")
            % {"rows": audited.seq, "id": audited.id}
        )
    run = audits.audit_account(id=audited.id)
    if run.findings:
        messages.error(request, _("The audit has found something. Tell an operator at once."))
    else:
        messages.success(request, _("Every row of the account was proven, and nothing is wrong."))
    return HttpResponseRedirect(reverse("admin:transactions_auditrun_change", args=[run.pk]))


COMMAND: dict[str, Any] = {
    "name": "audit",
    "label": _("Audit"),
    "permission": AUDIT,
    "run": audit_account,
    "is_atomic": False,  # it sees one moment, in a transaction of its own
    "note": _(
        "All rows of the account are computed again, and compared. Nothing is locked, and nothing changed."
    ),
}
OF_ACCOUNT = Command(**COMMAND)  # on the account's own page


def show_verdict(run: AuditRun) -> str:
    if run.findings == 0:
        return label("POSTED", str(_("clean")))
    return label("DECLINED", str(_("findings: %(count)s") % {"count": run.findings}))


def show_coverage(run: AuditRun) -> str | SafeString:
    if run.account is not None:
        return link("accounts_account", run.account_id, run.account)
    if not run.is_whole:
        return str(_("a part"))
    if run.since is None:
        return str(_("all accounts and all checks"))
    return format_html(gettext("what was recorded after {}"), moment(run.since))


VERDICT = column(_("result"), show_verdict)
COVERAGE = column(_("covers"), show_coverage)
FINISHED = column(_("finished at"), lambda run: moment(run.finished_at))
DURATION = column(
    _("seconds"), lambda run: round((run.finished_at - run.started_at) / timedelta(seconds=1), 1)
)


@admin.register(AuditRun)
class AuditRunAdmin(OfficeAdmin):
    """The audits that were made: how far each one saw, and whether the books were right."""

    change_form_template = "admin/audit.html"
    list_before_template = "office/audits_standing.html"
    list_display = (FINISHED, VERDICT, COVERAGE, "accounts", "rows", DURATION)
    list_form = AuditForm
    nothing = _("Nothing was audited yet.")
    ordering = ("-finished_at",)
    list_commands = (Command(**{**COMMAND, "label": _("Audit an account"), "form": AccountForm}),)
    readonly_fields = (
        VERDICT,
        COVERAGE,
        "accounts",
        "rows",
        column(_("started at"), lambda run: moment(run.started_at)),
        FINISHED,
        DURATION,
        column(_("everything recorded was seen up to"), lambda run: moment(run.seen_through)),
    )

    def name(self, obj: AuditRun) -> str:
        return date_format(shift(obj.finished_at), "DATETIME_FORMAT")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditRun]:
        return AuditRun.objects.select_related("account")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"standing": audits.find_standing(), **(extra_context or {})})

    def describe(self, request: HttpRequest, obj: AuditRun) -> dict[str, Any]:
        return {"found": list(_list_found(obj)), "more": max(0, obj.findings - len(obj.found))}


def _list_found(run: AuditRun) -> Iterator[dict[str, Any]]:
    """The findings with links to their rows, where these have pages."""
    for each in run.found:
        page, row, account = PAGES.get(each["table"]), each["row"], each["account"]
        yield {
            "check": each["check"],
            "table": each["table"],
            "row": link(page, row, row) if page and row else row or NOTHING,
            "account": link("accounts_account", account, account) if account else NOTHING,
        }
