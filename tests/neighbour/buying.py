from decimal import Decimal
from uuid import UUID

from accounts.models import Account
from ledger.callers import Caller
from tests.neighbour.models import Purchase
from transactions import posting
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction


def pay(order: UUID, account: Account, price: Decimal) -> NewTransaction:
    """Under the order's own id, which the shop has made and stored before: it can be asked for again."""
    return NewTransaction(id=order, account_id=account.id, type=Transaction.Type.WITHDRAW, amount=price)


def buy(order: UUID, account: Account, price: Decimal, title: str, caller: Caller) -> Purchase:
    """Raises `Declined`, when the account has not got the price: that stands under the order for ever."""
    with posting.posted(pay(order, account, price), caller=caller) as result:
        purchase, _ = Purchase.objects.get_or_create(
            order=result.transaction.id, defaults={"account": account, "title": title}
        )
    return purchase


def buy_in_a_transaction(order: UUID, account: Account, price: Decimal, title: str, caller: Caller) -> bool:
    """For who has begun a transaction already: whether it was paid."""
    result = posting.post(pay(order, account, price), caller=caller)
    if result.transaction.decline_reason:
        return False  # to raise would take the recorded decline back
    Purchase.objects.get_or_create(order=order, defaults={"account": account, "title": title})
    return True
