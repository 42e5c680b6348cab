"""A small ledger for a day of its staff: some thirty customers of nearly one name, and their trouble."""

from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from unittest.mock import patch

from events import subscriptions
from events.relay import Relay
from ledger.callers import Caller
from tests import cast
from tests.office.staff import PASSWORD, make_staff, open_office
from tests.searching import follow
from transactions.reading import statistics

FIRST_NAMES = (
    *("Adam", "Boris", "Carl", "Daria", "Egor", "Fedor", "Galina", "Hugo", "Irina", "Jonas"),
    *("Kira", "Leo", "Marina", "Nina", "Oleg", "Pavel", "Quentin", "Rosa", "Sergei", "Tanya"),
    *("Uma", "Vera", "Walter", "Xenia", "Yuri", "Zoya", "Artem", "Bella", "Clara", "Dmitri"),
)
STAFF = {  # who they are, their group and their name; none is an administrator's
    "support": ("support", "Olga Lund"),
    "support in Moscow": ("support", "Mila Belova"),
    "operations": ("operations", "Vera Lindt"),
    "the second person": ("operations", "Boris Amsel"),
    "the one who leaves": ("auditor", "Anton Baum"),
    "administrator": (None, "Chief Amsel"),
    "newcomer": ("support", "Nora Neu"),
}


class World:
    """`customers` by their first names, each with an account in USD; `ivan` is who rings."""

    def __init__(self, hook: str) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.staff = {
            who: make_staff(
                *([group] if group else []),
                superuser=group is None,
                username=name.split()[0].lower(),
                name=name,
                password=PASSWORD,
            )
            for who, (group, name) in STAFF.items()
        }
        moscow = self.staff["support in Moscow"]
        moscow.time_zone = "Europe/Moscow"
        moscow.save(update_fields=["time_zone"])
        # Of sessions behind the password and the code: a walk makes none, it runs inside a transaction.
        self.cookies = {
            who: open_office(member).cookies["sessionid"].value
            for who, member in self.staff.items()
            if who != "newcomer"
        }
        self.customers = {name: self._make(f"Petrov {name}") for name in FIRST_NAMES}
        self.customers |= {name: self._make(name) for name in ("Petrov, Alexander", "Petrova Anna")}
        self.ivan = self._make(
            "Иван Сергеевич Петров",
            external_id="CUST-100235",
            metadata={"email": "ivan.petrov@mail.example", "phone": "+7 916 123-45-67"},
        )
        self._let_ivan_live()
        self._make_mistakes()
        self._make_changes()
        self._tell_an_engine(hook)
        follow()
        with patch.object(statistics, "SETTLED_AFTER", timedelta(0)):
            statistics.refresh(Flag())

    def _make(self, name, **fields):
        return cast.UserFactory(name=name, **fields).accounts.get()

    def _let_ivan_live(self):
        """A year of it; what he rings about was last Tuesday, twice within eight seconds."""
        ivan = self.ivan
        for type, amount, at, reference in (
            ("DEPOSIT", "1000", cast.day("2025-12-01"), "salary"),
            ("WITHDRAW", "20", datetime(2025, 12, 31, 20, 59, tzinfo=UTC), "taxi"),
            ("WITHDRAW", "3", datetime(2025, 12, 31, 21, 0, tzinfo=UTC), "coffee"),
        ):
            cast.move(ivan, type, amount, effective_at=at, reference=reference)
        days = (self.now.weekday() - 1) % 7 or 7
        self.tuesday = (self.now - timedelta(days=days)).replace(hour=10, minute=4, second=11)
        for seconds in (0, 8):
            at = self.tuesday + timedelta(seconds=seconds)
            cast.withdraw(ivan, "50", effective_at=at, reference="card 4455 GROCERY")
        self.hold_end = self.now + timedelta(days=2)
        cast.hold(ivan, "75", reference="hotel booking 77", expires_at=self.hold_end)
        cast.withdraw(ivan, "5000", reference="cash machine 9")

    def _make_mistakes(self):
        people = self.customers
        cast.deposit(people["Adam"], "777", reference="order 777")
        for number in range(100):
            cast.deposit(people["Boris"], "9.99", reference=f"file of today, line {number}")
        last_month = self.now.replace(day=1, hour=12) - timedelta(days=3)
        cast.deposit(people["Daria"], "640", effective_at=last_month, reference="last month")
        cast.deposit(people["Daria"], "1", reference="this month")
        cast.deposit(people["Egor"], "9000", reference="house")
        cast.withdraw(people["Egor"], "1500.50", reference="boat")
        cast.withdraw(people["Egor"], "999", reference="oars")

    def _make_changes(self):
        """By staff, in the office: who has done it is asked about."""
        office = open_office(self.staff["operations"])
        limits = f"/admin/accounts/account/{self.customers['Galina'].id}/limits/"
        for most, reason in (("300", "As agreed in 2025."), ("40", "Her bank asked for it, ticket 31.")):
            asked = {"credit_limit": "25", "withdraw_max": most, "withdraw_day_max": "", "reason": reason}
            answer = office.post(limits, asked)
            assert answer.status_code == 302, answer.content
        freeze = f"/admin/accounts/account/{self.customers['Hugo'].id}/freeze/"
        assert office.post(freeze, {"reason": "The card was stolen, ticket 32."}).status_code == 302

    def _tell_an_engine(self, hook):
        """A service posts with a token of its own, and an engine hears of it."""
        subscriptions.create(kind="webhook", url=hook, caller=Caller(self.staff["administrator"].id))
        self.token = cast.issue_token("api-post")
        service = cast.User.objects.get(username__startswith="service-")
        order = cast.OrderFactory(account=self.customers["Fedor"], reference="campaign 12")
        self.posted = cast.asking.ask(order, actor=service.pk).transaction
        self.service = service
        for _ in range(3):
            Relay().run(once=True)
