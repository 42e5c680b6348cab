"""What is confirmed: of the thing that a command is done to, what tells it from all others."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Claim, Hold
from office.templatetags.ledger import NOTHING, bdi, label, link, moment, money
from transactions import corrections
from transactions.models import Correction, Transaction

Facts = Iterator[tuple[Any, Any]]  # labels and values


def _tell_whose(account: Account) -> Facts:
    yield _("User"), link("accounts_user", account.user_id, account.user)
    yield _("Account"), link("accounts_account", account.id, f"{account.name} {account.currency}")


def tell_account(account: Account) -> Facts:
    yield from _tell_whose(account)
    yield _("Id"), account.id
    yield _("Status"), label(account.status, account.get_status_display())
    if account.status_reason:
        yield _("Reason of the status"), bdi(account.status_reason)


def tell_transaction(row: Transaction) -> Facts:
    currency = row.account.currency
    yield _("Amount"), money(row.signed_amount, currency)
    if row.reversed:
        yield _("Left of it"), money(row.left, currency)
    yield from _tell_whose(row.account)
    yield _("Effective"), moment(row.effective_at)
    yield _("Reference"), bdi(row.reference) or NOTHING
    if row.transfer:
        yield _("Transfer"), _("the other leg is taken back with it")


def tell_hold(hold: Hold) -> Facts:
    currency = hold.account.currency
    yield _("Amount"), money(hold.amount, currency)
    if hold.captured:
        yield _("Left of it"), money(hold.amount - hold.captured, currency)
    yield from _tell_whose(hold.account)
    yield _("Placed at"), moment(hold.created_at)
    yield _("Expires at"), moment(hold.expires_at)
    yield _("Reference"), bdi(hold.reference) or NOTHING


def tell_claim(claim: Claim) -> Facts:
    currency = claim.account.currency
    yield _("Amount"), money(claim.amount, currency)
    yield _("Left of it"), money(claim.remaining, currency)
    yield from _tell_whose(claim.account)
    yield _("Opened"), moment(claim.created_at)
    yield _("Reason"), bdi(claim.reason)
    yield _("Reference"), bdi(claim.reference) or NOTHING


def tell_correction(correction: Correction) -> Facts:
    yield _("Kind"), correction.get_kind_display()
    if correction.batch is None:
        yield _("Amount"), money(correction.change, correction.account.currency)
        yield from _tell_whose(correction.account)
        for row in corrections.find_taken_back(correction):
            yield (
                _("Reverses"),
                link("transactions_transaction", row.id, money(row.signed_amount, row.account.currency)),
            )
            yield _("Effective"), moment(row.effective_at)
            yield _("Its reference"), bdi(row.reference) or NOTHING
        if correction.reference:
            yield _("Reference"), bdi(correction.reference)
    yield _("Reason"), bdi(correction.reason)
    yield _("Requested by"), bdi(correction.maker)
    yield _("Requested at"), moment(correction.made_at)
