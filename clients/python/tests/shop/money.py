"""What the shop does with money: it says what it wants in its own transaction, and hears of the answer."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

from ledger_client import commands, new_id, outbox
from ledger_client.outbox.models import MoneyIntent
from shop.models import Order


@transaction.atomic
def order(customer: UUID, price: Decimal) -> Order:
    order = Order.objects.create(customer=customer, price=price, payment=new_id())
    outbox.intend(commands.withdraw(id=order.payment, user=customer, amount=price), in_line=customer)
    return order


def on_done(intent: MoneyIntent) -> None:
    Order.objects.filter(payment=intent.id).update(state="paid", told=F("told") + 1)


def on_refused(intent: MoneyIntent) -> None:
    Order.objects.filter(payment=intent.id).update(state="refused", told=F("told") + 1)
