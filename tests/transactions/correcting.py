"""Corrections in the words of the tests."""

from decimal import Decimal

from accounts.models import Account
from tests.cast import new_id
from transactions import corrections
from transactions.models import Correction, Transaction

DEPOSIT, WITHDRAW = Transaction.Type.DEPOSIT, Transaction.Type.WITHDRAW
WAITING, POSTED, DECLINED, REJECTED = Correction.Status.values


def adjust(account, maker, amount="10", *, id=None, type=DEPOSIT, **asked):
    asked = {"reference": "ticket 7", "reason": "a lost deposit"} | asked
    return corrections.adjust(
        id=id or new_id(),
        account_id=account.id,
        type=type,
        amount=Decimal(amount),
        maker_id=maker.id,
        request_id="test",
        **asked,
    )


def reverse(row, maker, *, id=None, reason="a mistake"):
    return corrections.reverse(
        id=id or new_id(), transaction_id=row.id, reason=reason, maker_id=maker.id, request_id="test"
    )


def approve(correction, checker):
    return corrections.approve(id=correction.id, checker_id=checker.id, request_id="approval")


def reject(correction, checker, reason="no"):
    return corrections.reject(id=correction.id, checker_id=checker.id, reason=reason)


def balance(account):
    return Account.objects.get(id=account.id).balance


def status(correction):
    return Correction.objects.get(id=correction.id).status
