"""Corrections in the words of the tests."""

from decimal import Decimal

from accounts.models import Account
from ledger.callers import ActorKind, Caller
from tests.cast import new_id
from transactions import corrections
from transactions.models import Correction, Transaction

DEPOSIT, WITHDRAW = Transaction.Type.DEPOSIT, Transaction.Type.WITHDRAW
WAITING, POSTED, DECLINED, REJECTED = Correction.Status.values


def name(member, request_id="test"):
    return Caller(member.id, ActorKind.STAFF, request_id)


def adjust(account, maker, amount="10", *, id=None, type=DEPOSIT, **asked):
    asked = {"reference": "ticket 7", "reason": "a lost deposit"} | asked
    return corrections.adjust(
        id=id or new_id(),
        account_id=account.id,
        type=type,
        amount=Decimal(amount),
        caller=name(maker),
        **asked,
    )


def reverse(row, maker, amount=None, *, id=None, reason="a mistake"):
    """All of it, if no amount is named."""
    asked = {"transaction_id": row.id, "amount": row.amount if amount is None else Decimal(amount)}
    return corrections.reverse(id=id or new_id(), reason=reason, caller=name(maker), **asked)


def reverse_all(rows, maker, *, id=None, reason="a file sent twice"):
    asked = [row.id for row in rows]
    return corrections.reverse_all(
        id=id or new_id(), transaction_ids=asked, reason=reason, caller=name(maker)
    )


def claim(account, maker, amount="10", *, id=None, destination=None, **asked):
    asked = {"reference": "ticket 7", "reason": "a chargeback"} | asked
    return corrections.claim(
        id=id or new_id(),
        account_id=account.id,
        amount=Decimal(amount),
        destination=destination and destination.id,
        caller=name(maker),
        **asked,
    )


def claim_back(row, maker, amount=None, *, id=None, reason="a chargeback"):
    """All of it, if no amount is named."""
    asked = {"transaction_id": row.id, "amount": row.amount if amount is None else Decimal(amount)}
    return corrections.claim_back(id=id or new_id(), reason=reason, caller=name(maker), **asked)


def waive(claim, maker, *, id=None, reason="paid in cash"):
    """`claim` is a claim, or the correction that has opened it."""
    return corrections.waive(id=id or new_id(), claim_id=claim.id, reason=reason, caller=name(maker))


def approve(correction, checker):
    return corrections.approve(id=correction.id, caller=name(checker, "approval"))


def reject(correction, checker, reason="no"):
    return corrections.reject(id=correction.id, caller=name(checker), reason=reason)


def balance(account):
    return Account.objects.get(id=account.id).balance


def status(correction):
    return Correction.objects.get(id=correction.id).status
