"""Claims for tests: opened and waived, each in one call, and what must be true of them at any time."""

from decimal import Decimal

from accounts.models import Account, Claim
from tests.asking import ask
from tests.cast import new_id
from transactions.models import Transaction
from transactions.posting.commands import NewClaim, WaiveClaim


def claim(account, amount, **fields):
    """Open a claim, and what is there is collected; the claim as it then is."""
    return ask(make_claim(account, amount, **fields), actor=account.user_id).claim


def make_claim(account, amount, *, destination=None, reason="chargeback 7", **fields):
    fields.setdefault("id", new_id())
    payee = destination and destination.id
    return NewClaim(account_id=account.id, amount=Decimal(amount), reason=reason, destination=payee, **fields)


def waive(of, reason="paid in cash"):
    return ask(WaiveClaim(claim_id=of.id, account_id=of.account_id, reason=reason)).claim


def figures(account):
    """What the account has, holds and owes now."""
    account = Account.objects.get(id=account.id)
    return account.balance, account.held, account.owed


def list_collections(of):
    """The withdrawals that have taken it, in their order, as (account, amount)."""
    rows = Transaction.objects.filter(claim=of.id, type="WITHDRAW").order_by("recorded_at")
    return [(row.account_id, row.amount) for row in rows]


def read(of):
    return Claim.objects.get(id=of.id)
