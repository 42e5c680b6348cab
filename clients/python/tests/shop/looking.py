"""What the tests of the outbox look at."""

from decimal import Decimal

from django.utils import timezone

from ledger_client import Ledger
from ledger_client.outbox.models import MoneyIntent
from ledger_client.resources import User


def read_balance(ledger: Ledger, user: User) -> Decimal:
    return ledger.get_user_balance(user.id).balance


def make_due() -> None:
    MoneyIntent.objects.update(next_attempt_at=timezone.now())


def read_states() -> list[str]:
    return list(MoneyIntent.objects.order_by("number").values_list("status", flat=True))
