"""The pages of transactions."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.currencies import format_amount
from accounts.models import Claim, User
from events.deliveries import trace
from events.models import Event
from ledger.sql import fetch
from office import explanations
from office.actions import Command, IdentityForm
from office.admin import parse_id
from office.choosing import ChoosingAdmin
from office.confirming import facts
from office.confirming.foreseeing import Foreseen
from office.forms import AmountField, fit
from office.lists import WalkedList
from office.lists import columns as exports
from office.lists.money import TransactionForm
from office.pages.corrections import foresee_asking, propose
from office.pages.corrections.lists import REVERSE_PERMISSIONS, may_be_reversed, reverse_chosen
from office.pages.people import history, notes
from office.sections import WithHistory
from office.templatetags.ledger import (
    ACCOUNT,
    ACCOUNT_USER,
    column,
    label,
    moment,
    money,
    name_movement,
    number_column,
    text_column,
)
from transactions import corrections
from transactions.models import Correction, Transaction
from transactions.reading import queries, search

SHOWN_MAX = 100  # reversals and claims on the page of what they take back
EVENTS_AT_ONCE_MAX = 100  # of one account at the same microsecond: a capture's, and of holds that ended then

# The first event of the account at that moment or later. No index has the events by what they are about;
# but along `sequence` time does not go back. So the middle is looked at, then the middle of one half, and so
# on: 20 look-ups among a million events. For one that was pruned the next one stands that is kept.
FIND_FIRST = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 1::bigint, (SELECT event_sequence FROM accounts_account WHERE id = %(account)s)
    UNION ALL
    SELECT CASE WHEN earlier THEN (low + high) / 2 + 1 ELSE low END,
        CASE WHEN earlier THEN high ELSE (low + high) / 2 END
    FROM halves, LATERAL (
        SELECT coalesce((
            SELECT recorded_at < %(at)s FROM events_event
            WHERE stream = %(account)s AND sequence >= (low + high) / 2
            ORDER BY stream, sequence LIMIT 1
        ), FALSE) AS earlier
    ) AS middle
    WHERE low < high
)
SELECT max(low) FROM halves
"""


def find_events(transaction: Transaction) -> list[Event]:
    """The transaction's own event, unless it was pruned, and for a capture that of its hold."""
    [(first,)] = fetch(FIND_FIRST, {"account": transaction.account_id, "at": transaction.recorded_at})
    events = Event.objects.filter(
        stream=transaction.account_id,
        sequence__gte=first,
        sequence__lt=first + EVENTS_AT_ONCE_MAX,
        recorded_at=transaction.recorded_at,
    ).order_by("stream", "sequence")
    return [
        event
        for event in events
        if event.about == transaction.seq or (event.data and event.data["id"] == str(transaction.hold))
    ]


def show_status(row: Transaction) -> Any:
    """With why, if it was declined: all of it shows when it is pointed at."""
    shown = label(row.status, row.get_status_display())
    why = explain(row) if row.status == Transaction.Status.DECLINED else ""
    return (
        format_html('{}<small class="office-declined-why" title="{}">{}</small>', shown, why, why)
        if why
        else shown
    )


class ReverseForm(IdentityForm):
    """How much of a transaction is taken back: all that is left, unless it is said otherwise. So why has the
    focus."""

    field_order = ("amount", "reason", "identity")
    amount = AmountField(label=_("Amount"))

    def fill(self, obj: Transaction) -> None:
        currency = obj.account.currency
        fit(self.fields["amount"], currency)
        self.fields["amount"].initial = format_amount(obj.left, currency)
        for name in ("amount", "reason"):
            self.fields[name].widget.attrs["autofocus"] = name == "reason"
        self.fields["amount"].help_text = _("Of %(amount)s there is left: %(left)s") % {
            "amount": money(obj.amount, currency),
            "left": money(obj.left, currency),
        }


def reverse_transaction(
    request: HttpRequest, transaction: Transaction, asked: dict[str, Any]
) -> HttpResponse:
    return propose(
        request,
        corrections.reverse,
        asked,
        posted=_("The transaction was reversed."),
        transaction_id=transaction.id,
        amount=asked["amount"],
    )


def claim_back(request: HttpRequest, transaction: Transaction, asked: dict[str, Any]) -> HttpResponse:
    return propose(
        request,
        corrections.claim_back,
        asked,
        posted=_("It was taken back: what was not there is owed."),
        transaction_id=transaction.id,
        amount=asked["amount"],
    )


def foresee_taking_back(
    domain: Callable[..., Correction], request: HttpRequest, transaction: Transaction, asked: dict[str, Any]
) -> Foreseen:
    return foresee_asking(
        request,
        domain,
        asked,
        on=transaction.account_id,
        is_told=asked["amount"] is not None,
        transaction_id=transaction.id,
        amount=asked["amount"],
    )


def explain(transaction: Transaction) -> Any:
    """Why it was declined, or what became of it later."""
    if transaction.reversed:
        return _("reversed in part") if transaction.left else _("reversed later")
    return explanations.explain(transaction)


class TransactionList(WalkedList):
    def query_rows(self) -> QuerySet:
        """The page says of no row what was taken back of it; the file says how much."""
        rows = Transaction.objects.select_related("account__user")
        taken_back = {"reversed": queries.AmountTakenBack("id", "transfer")}
        return rows.annotate(**taken_back) if self.is_file else rows


@admin.register(Transaction)
class TransactionAdmin(WithHistory, ChoosingAdmin):
    """A movement of money with everything that belongs to it, and taking it back."""

    change_form_template = "admin/transaction.html"
    owner = "account.user_id"
    sections = (history.make(history.describe_transaction), notes.SECTION)
    commands = (
        notes.WRITE,
        Command(
            name="reverse",
            label=_("Reverse"),
            permission="transactions.reverse_transaction",
            run=reverse_transaction,
            form=ReverseForm,
            facts=facts.tell_transaction,
            foresee=partial(foresee_taking_back, corrections.reverse),
            applies=may_be_reversed,
            note=_(
                "The opposite transaction is posted, of all that is left or of a part of it; of a transfer on"
                " both accounts. Above a limit a second person must approve it first."
            ),
            is_dangerous=True,
        ),
        Command(
            name="claim",
            label=_("Reverse as a claim"),
            permission="accounts.claim_account",
            run=claim_back,
            form=ReverseForm,
            facts=facts.tell_transaction,
            foresee=partial(foresee_taking_back, corrections.claim_back),
            applies=lambda row: (
                may_be_reversed(row) and (row.type == Transaction.Type.DEPOSIT or row.transfer is not None)
            ),
            note=_(
                "What came in is taken back as far as it is there; the rest is owed, and is collected as soon"
                " as anything is free on the account. Of a transfer the source is paid. Above a limit a"
                " second person must approve it first."
            ),
            is_dangerous=True,
        ),
    )
    actions = (reverse_chosen,)
    choose_permissions = REVERSE_PERMISSIONS
    list_per_page = 100
    list_display = (
        column(_("recorded at"), lambda row: moment(row.recorded_at)),
        ACCOUNT_USER,
        ACCOUNT,
        "type",
        number_column(_("amount"), lambda row: row.signed_amount),
        column(_("status"), show_status),
        number_column(_("balance after"), lambda row: row.balance_after),
        text_column(_("reference"), "reference"),
    )
    list_form = TransactionForm
    exported = exports.OF_TRANSACTIONS
    nothing = _("No transactions.")
    ordering = ("-recorded_at", "-id")
    search_help_text = _("An id or a whole reference")

    def name(self, obj: Transaction) -> str:
        amount = money(obj.amount, obj.account.currency)
        return name_movement(obj.get_type_display(), amount, obj.account, obj.effective_at)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[TransactionList]:
        return TransactionList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        return queries.with_resources(super().get_queryset(request)).select_related("account__user")

    def search(self, rows: QuerySet[Transaction], text: str) -> QuerySet[Transaction]:
        found = search.find_by_reference(text)
        if id := parse_id(text):
            found += [row.id for row in search.find_by_id(id).transactions]
        return rows.filter(id__in=found)

    def describe(self, request: HttpRequest, obj: Transaction) -> dict[str, Any]:
        return {
            "transaction": obj,
            "why": explanations.describe_decline(obj, obj.account.currency),
            "actor": User.objects.filter(id=obj.actor).first(),
            "other_leg": Transaction.objects.filter(transfer=obj.transfer)
            .exclude(id=obj.id)
            .select_related("account__user")[:1]
            if obj.transfer
            else [],
            "correction": Correction.objects.filter(id__in=filter(None, [obj.id, obj.transfer]))
            .select_related("maker", "checker")
            .first(),
            "waiting": corrections.find_waiting_reversals(obj),
            "taken_back_by": queries.find_transactions(map(UUID, obj.reversed_by[:SHOWN_MAX])).values(),
            "claimed_back_by": Claim.objects.filter(id__in=obj.reversed_by[:SHOWN_MAX])
            .select_related("account__user")
            .order_by("created_at", "id")
            if obj.reversed_by
            else (),
            "may_see_deliveries": request.user.has_perm("events.view_subscription"),
            "traced": trace(find_events(obj)),
            "chain_hash": bytes(obj.chain_hash).hex(),
        }
