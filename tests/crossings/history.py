"""A history by chance: some accounts with thresholds, and all that can be done to them.

Its seed says everything but the times, so that it can be begun again when the process that runs it was
killed: what was decided is answered again. Every request is one command, or one list with an id.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import NAMESPACE_OID, UUID, uuid5

from accounts import operations
from accounts.models import Account, Threshold
from ledger.callers import Caller
from ledger.errors import LedgerError
from tests.transactions.told import read_events
from transactions import posting
from transactions.errors import TransactionNotFound
from transactions.models import Transaction
from transactions.posting import NewBatch, PostingRequest, engine
from transactions.posting.commands import (
    Capture,
    ChangeHold,
    ClaimedReversal,
    NewClaim,
    NewHold,
    NewTransaction,
    Release,
    Remaining,
    RemoveThreshold,
    Reversal,
    SetLimits,
    SetThreshold,
    Transfer,
    WaiveClaim,
)
from transactions.reading.queries import find_whole

STEPS_MIN, STEPS_MAX = 30, 200
ACCOUNTS = (3, 4)
THRESHOLDS = (4, 7)
GROUP_MAX = 8
AMOUNTS = [Decimal(text) for text in ("0.01", "1", "5", "9.99", "10", "20", "50")]
LEVELS = [Decimal(text) for text in ("-20", "0", "0.01", "5", "10", "30", "50", "70", "100", "100.01")]
BEGINNING = datetime(2023, 1, 1, tzinfo=UTC)
KINDS = {
    "deposit": 6, "withdraw": 9, "transfer": 3, "hold": 4, "capture": 2, "release": 1, "reverse": 1,
    "limits": 1, "set": 1, "remove": 1, "list": 3, "expire": 1, "change": 1, "claim": 2, "claim back": 1,
    "waive": 1,
}  # fmt: skip


class History:
    def __init__(self, seed: int, space: str = "") -> None:
        self.seed, self.chance = seed, Random(seed)
        self.space = uuid5(NAMESPACE_OID, f"crossings {space} {seed}")
        self.is_grouped = seed % 2 == 0
        self.count = 0  # of ids
        self.accounts: list[Account] = []
        self.holds: list[tuple[UUID, UUID]] = []  # and of which account each is
        self.claims: list[tuple[UUID, UUID]] = []
        self.placed = self.claimed = 0  # how many of them were sent: nobody captures what is not there
        self.rows: list[UUID] = []
        self.requests = 0

    def run(self) -> None:
        self.open_accounts()
        left = self.chance.randint(STEPS_MIN, STEPS_MAX)
        while left > 0:
            count = min(left, self.chance.randint(1, GROUP_MAX) if self.is_grouped else 1)
            requests = [self.make_request() for _ in range(count)]
            left -= count
            self.post([request for request in requests if request])

    def open_accounts(self) -> None:
        for number in range(self.chance.randint(*ACCOUNTS)):
            user, _ = operations.create_user(
                id=self.make_id(), name=f"{self.seed}.{number}", caller=Caller(None, request_id="open")
            )
            account = Account.objects.get(user=user)
            self.accounts.append(account)
            first = NewTransaction(
                id=self.make_id(),
                account_id=account.id,
                type=Transaction.Type.DEPOSIT,
                amount=Decimal(100),
                effective_at=BEGINNING,
            )
            levels = self.chance.sample(LEVELS, self.chance.randint(*THRESHOLDS))
            thresholds = [
                SetThreshold(account_id=account.id, amount=level, of=self.chance.choice(list(Threshold.Of)))
                for level in levels
            ]
            for command in (first, *thresholds):
                self.post([self.ask(command)])

    def make_request(self) -> PostingRequest | None:
        """None: there is nothing of the kind to do. Ends of holds are written by nobody's request."""
        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "expire":
            posting.expire_some()
            return None
        if kind == "list":
            commands = [
                self.make_command(self.chance.choice(["deposit", "withdraw", "hold", "claim"]))
                for _ in range(4)
            ]
            is_atomic = self.chance.random() < 0.5
            batch = NewBatch(id=self.make_id(), asked=[self.count], atomic=is_atomic)
            return self.ask(
                *filter(None, commands), batch=batch, all_or_nothing=is_atomic, each=not is_atomic
            )
        command = self.make_command(kind)
        return command and self.ask(command)

    def make_command(self, kind: str):
        account, amount = self.chance.choice(self.accounts), self.chance.choice(AMOUNTS)
        chosen = self.chance.random()
        id = self.make_id()
        match kind:
            case "deposit" | "withdraw":
                self.rows.append(id)
                type = Transaction.Type.DEPOSIT if kind == "deposit" else Transaction.Type.WITHDRAW
                at = BEGINNING + timedelta(hours=self.chance.randint(0, 9000))
                late = {"effective_at": at} if chosen < 0.5 else {}
                return NewTransaction(id=id, account_id=account.id, type=type, amount=amount, **late)
            case "transfer":
                to = self.choose_other(account.id)
                self.rows.append(id)
                return Transfer(id=id, source_id=account.id, destination_id=to, amount=amount)
            case "hold":
                self.holds.append((id, account.id))
                ends = datetime.now(UTC) + timedelta(milliseconds=self.chance.randint(2, 60))
                return NewHold(
                    id=id, account_id=account.id, amount=amount, expires_at=ends if chosen < 0.7 else None
                )
            case "capture" if self.placed:
                hold, of = self.chance.choice(self.holds[: self.placed][-5:])
                part = Remaining.ALL if chosen < 0.5 else amount
                to = self.choose_other(of) if chosen > 0.6 else None
                final = chosen < 0.7
                return Capture(
                    id=id, hold_id=hold, account_id=of, amount=part, final=final, destination_id=to
                )
            case "change" if self.placed:
                hold, of = self.chance.choice(self.holds[: self.placed][-5:])
                return ChangeHold(hold_id=hold, account_id=of, changes={"amount": amount})
            case "claim":
                self.claims.append((id, account.id))
                to = self.choose_other(account.id) if chosen < 0.6 else None
                return NewClaim(
                    id=id, account_id=account.id, amount=amount, reason="by chance", destination=to
                )
            case "waive" if self.claimed:
                claim, of = self.chance.choice(self.claims[: self.claimed][-5:])
                return WaiveClaim(claim_id=claim, account_id=of, reason="by chance")
            case "release" if self.placed:
                hold, of = self.chance.choice(self.holds[: self.placed][-5:])
                return Release(hold_id=hold, account_id=of)
            case "reverse" | "claim back" if self.rows:
                return self.make_reversal(id, self.chance.choice(self.rows[-9:]), kind)
            case "limits":
                limits = {"credit_limit": Decimal(self.chance.choice([0, 0, 20, 50]))}
                return SetLimits(account_id=account.id, limits=limits)
            case "set":
                of = self.chance.choice(list(Threshold.Of))
                return SetThreshold(account_id=account.id, amount=self.chance.choice(LEVELS), of=of)
            case "remove":
                return self.make_removal(account)
        return None

    def choose_other(self, account: UUID) -> UUID:
        return self.chance.choice([each.id for each in self.accounts if each.id != account])

    def make_reversal(self, id: UUID, target: UUID, kind: str) -> Reversal | ClaimedReversal | None:
        """Of what is posted already."""
        try:
            rows = find_whole(Transaction.objects.all(), target)
        except TransactionNotFound:  # it was refused, or is of this same group
            return None
        if any(row.status != "POSTED" for row in rows):
            return None
        if kind == "claim back":
            is_received = any(row.type == "DEPOSIT" for row in rows)
            return ClaimedReversal(id=id, reason="by chance", rows=rows) if is_received else None
        return Reversal(id=id, reason="by chance", rows=rows)

    def make_removal(self, account: Account) -> RemoveThreshold | None:
        rows = list(Threshold.objects.filter(account=account).order_by("of", "amount"))
        if len(rows) <= THRESHOLDS[0]:
            return None
        row = self.chance.choice(rows)
        return RemoveThreshold(account_id=account.id, threshold_id=row.id)

    def make_id(self) -> UUID:
        self.count += 1
        return uuid5(self.space, str(self.count))

    def ask(self, *commands, **how) -> PostingRequest:
        self.requests += 1
        caller = Caller(self.space, request_id=f"{self.seed}.{self.requests}.{datetime.now(UTC).timestamp()}")
        return PostingRequest(commands=commands, caller=caller, **how)

    def post(self, requests: Sequence[PostingRequest]) -> None:
        if requests:
            for outcome in engine.post_group(requests):
                assert not isinstance(outcome, Exception) or isinstance(outcome, LedgerError)
        self.placed, self.claimed = len(self.holds), len(self.claims)

    def read_events(self) -> dict[UUID, list[dict]]:
        """Of each account, as the feed shows them, as far as the oracle looks at them."""
        return {
            account.id: [
                {
                    "id": event.id,
                    "type": event.type,
                    "request_id": event.request_id,
                    "data": event.data,
                }
                for event in read_events(stream=account.id)
            ]
            for account in self.accounts
        }
