"""What staff do on the pages of corrections."""

from decimal import Decimal

from accounts.models import Account
from ledger.callers import ActorKind, Caller
from tests.cast import new_id
from transactions import corrections
from transactions.models import Transaction

LIST = "/admin/transactions/correction/"


def reverse_page(row):
    return f"/admin/transactions/transaction/{row.id}/reverse/"


def page(correction, name="change"):
    return f"{LIST}{correction.id}/{name}/"


def ask_to_reverse(client, row, reason="Booked twice", identity=None, amount=None):
    asked = {"reason": reason, "identity": identity or new_id(), "amount": str(amount or row.amount)}
    return client.post(reverse_page(row), asked, follow=True)


def adjust(account, amount, maker, type=Transaction.Type.DEPOSIT, id=None):
    return corrections.adjust(
        id=id or new_id(),
        account_id=account.id,
        type=type,
        amount=Decimal(amount),
        reference="T-1",
        reason="goodwill",
        caller=Caller(maker.id, ActorKind.STAFF, "test"),
    )


def read(answer):
    return answer.content.decode()


def balance(account):
    return Account.objects.get(id=account.id).balance
