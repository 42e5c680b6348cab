"""A small ledger for pictures: an advertising business, the same names and numbers every time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from accounts import operations
from ledger.callers import ActorKind, Caller
from tests import asking, cast
from tests.cast import CALLER
from tests.office.staff import make_staff
from transactions import corrections
from transactions.models import HourlyTotal, Transaction

DAYS = 150
NAMES = (
    *("Bright Bakery", "Harbour Coffee", "Nordlicht Optik", "Blue Door Books", "Casa Verde"),
    *("Maple & Sons", "Studio Lumen", "Kite Surf School", "Old Town Bikes", "Fern Florist"),
)
REASONS = (
    "Charged twice, see ticket 4812.",
    "Goodwill for the outage of 12 November.",
    "Refund agreed by phone.",
)


class Demo:
    def __init__(self):
        self.random = Random(7)
        self.now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.vera = make_staff("operations", username="vera", name="Vera Lindt")
        self.chief = make_staff(superuser=True, username="boris", name="Boris Amsel")
        self.accounts = [self.make_account(number, name) for number, name in enumerate(NAMES)]
        self.bakery = self.accounts[0]
        for account in self.accounts:
            self.live(account, DAYS if account == self.bakery else 20)
        self.make_trouble()
        self.make_past()

    def make_account(self, number, name):
        return cast.UserFactory(name=name, external_id=f"crm-{1041 + 7 * number}").accounts.get()

    def live(self, account, days):
        """A top-up every other week, and the clicks of every day."""
        for day in range(days):
            at = self.now - timedelta(days=days - day, hours=3)
            if day % 14 == 0:
                self.post(
                    account, "DEPOSIT", 400 + 50 * self.random.randrange(4), at, f"Top-up {day // 14 + 1}"
                )
            spent = Decimal(self.random.randrange(900, 4200)) / 100
            self.post(account, "WITHDRAW", spent, at + timedelta(hours=2), f"Clicks of {at:%-d %B}")

    def post(self, account, type, amount, at, reference):
        return cast.move(account, type, amount, effective_at=at, reference=reference)

    def make_trouble(self):
        """What support is asked about."""
        bakery = self.bakery
        self.hold = cast.hold(bakery, "75.00", reference="Campaign: Advent")
        self.declined = cast.withdraw(bakery, "2400.00", reference="Campaign: New Year")
        twice = cast.withdraw(bakery, "18.40", reference="Clicks, sent twice")
        savings, _ = operations.create_account(
            user_id=bakery.user_id, currency="USD", name="savings", caller=CALLER
        )
        cast.transfer(bakery, savings, "50.00", reference="For December")
        self.reversed = twice
        self.correct(
            "reverse",
            transaction_id=twice.id,
            amount=twice.amount,
            reason="The same clicks were charged twice.",
        )
        asking.freeze(
            id=self.accounts[3].id, reason="The card was reported stolen, ticket 4790.", request_id="demo"
        )
        amounts = zip(self.accounts[1:4], ("250.00", "180.50", "400.00"), REASONS, strict=True)
        for account, amount, reason in amounts:
            self.correct(
                "adjust",
                account_id=account.id,
                type=Transaction.Type.DEPOSIT,
                amount=Decimal(amount),
                reference="Ticket 4812",
                reason=reason,
            )

    def correct(self, kind, **fields):
        make = getattr(corrections, kind)
        return make(id=cast.new_id(), caller=Caller(self.vera.id, ActorKind.STAFF, "demo"), **fields)

    def make_past(self):
        """The days before this ledger was made, as the dashboard would have counted them."""
        totals = []
        for hours in range(1, 24 * 30):
            hour = self.now - timedelta(hours=hours)
            busy = 12 + 9 * (8 <= hour.hour <= 20) + self.random.randrange(5)
            for type, outcome, count in (
                ("DEPOSIT", "posted", busy // 6),
                ("WITHDRAW", "posted", busy),
                ("WITHDRAW", "insufficient_funds", busy // 9),
            ):
                amount = (
                    Decimal(count * self.random.randrange(1800, 2600)) / 100 * (5 if type == "DEPOSIT" else 1)
                )
                totals.append(
                    HourlyTotal(
                        hour=hour, currency="USD", type=type, outcome=outcome, count=count, amount=amount
                    )
                )
        HourlyTotal.objects.bulk_create(totals)
