"""What a ledger has few of, made through the domain: holds, claims, corrections, notes, staff and so on."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import uuid_utils.compat
from django.utils import timezone

from accounts import erasing, notes, operations, staff, tokens
from accounts.models import Account, Note, User
from events.models import Attempt, FeedState, Subscription
from ledger.callers import ActorKind, Caller
from transactions import corrections, posting
from transactions.models import AuditRun, Transaction
from transactions.posting.commands import NewClaim, NewHold, Release, SetStatus, Transfer

PURSES = 150  # more accounts of the user who has the biggest one
SUBSCRIPTIONS = 100
REVERSED = 20  # transactions that wait to be taken back together
new_id = uuid_utils.compat.uuid7


def make_few(boss: User, few: int) -> None:
    """So many holds, of which a third is released, corrections, of which a half waits, and notes."""
    big = Account.objects.get(name="the biggest")
    others = list(Account.objects.exclude(user=big.user_id).order_by("-balance", "created_at")[:few])
    make_holds(boss, big, [each for each in others if each.balance > 0], few)
    maker = User.objects.create_superuser("bench-maker", "maker@example.com", "unused")
    make_corrections(maker, big, others, few)
    make_rest_of_money(boss, big, others)
    for number in range(min(few, PURSES)):
        operations.create_account(
            user_id=big.user_id, currency="USD", name=f"purse {number}", caller=Caller(None)
        )
    for number in range(few):
        about = (big, *others)[number % 2 * (number % (len(others) + 1))]
        notes.write(
            subject=Note.Subject.ACCOUNT,
            subject_id=about.id,
            user_id=about.user_id,
            text=f"note {number}",
            is_task=number % 2 == 0,
            caller=call(boss),
        )
    make_subscriptions(boss, min(few, SUBSCRIPTIONS))
    make_people(boss, maker, others, min(few, 50))
    for number in range(min(few, 100)):
        at = timezone.now() - timedelta(days=number)
        AuditRun.objects.create(
            started_at=at, finished_at=at, seen_through=at, is_whole=True, accounts=1, rows=1, findings=0
        )


def call(boss: User) -> Caller:
    return Caller(boss.id, ActorKind.STAFF, "bench")


def make_holds(boss: User, big: Account, others: Sequence[Account], few: int) -> None:
    for number in range(few):
        account = big if number % 4 == 0 else others[number % len(others)]
        ends = timezone.now() + timedelta(days=1, minutes=number)
        new_hold = NewHold(id=new_id(), account_id=account.id, amount=Decimal("0.01"), expires_at=ends)
        posting.post([new_hold], caller=Caller(boss.id, request_id="bench"))
        if number % 3 == 0:
            release = Release(hold_id=new_hold.id, account_id=account.id)
            posting.post([release], caller=Caller(boss.id, request_id="bench"))


def make_corrections(maker: User, big: Account, others: Sequence[Account], few: int) -> None:
    """A half of them waits. The last ones are one list, to be approved as a whole."""
    for number in range(few):
        corrections.adjust(
            id=new_id(),
            account_id=(big if number % 4 == 0 else others[number % len(others)]).id,
            type=Transaction.Type.DEPOSIT,
            amount=Decimal(1000 if number % 2 else 1),
            reference=f"ticket {number}",
            reason="bench",
            caller=call(maker),
        )
    rows = Transaction.objects.filter(account=big, status="POSTED", type="DEPOSIT", amount=10)
    chosen = [row.id for row in rows.order_by("-seq")[:REVERSED]]
    corrections.reverse_all(id=new_id(), transaction_ids=chosen, reason="bench", caller=call(maker))


def make_rest_of_money(boss: User, big: Account, others: Sequence[Account]) -> None:
    """Transfers, frozen accounts, claims: open ones, and of the big account some that were collected."""
    caller = Caller(boss.id, request_id="bench")
    for account in others[1:100]:
        moving = Transfer(id=new_id(), source_id=big.id, destination_id=account.id, amount=Decimal(1))
        posting.post([moving], caller=caller)
    for account in others[::5]:
        frozen = SetStatus(account_id=account.id, status=Account.Status.FROZEN, reason="bench")
        posting.post([frozen], caller=caller)
    for account in [*others[1::5], *[big] * 50]:
        amount = Decimal("0.1" if account is big else 1_000_000)
        claim = NewClaim(id=new_id(), account_id=account.id, amount=amount, reason="bench")
        posting.post([claim], caller=caller)


def make_subscriptions(boss: User, few: int) -> None:
    """As many as there can be, each with attempts that failed and that did not."""
    state = FeedState.objects.get()
    for number in range(few):
        subscription = Subscription.objects.create(
            kind="webhook",
            url=f"https://hooks{number}.example.com/",
            epoch=state.epoch,
            position=state.last_position - number * 1000 if number * 1000 < state.last_position else 0,
            status="ACTIVE" if number % 3 else "PAUSED",
            actor=boss.id,
        )
        Attempt.objects.bulk_create(
            Attempt(
                subscription=subscription,
                position=max(1, state.last_position - each),
                began_at=timezone.now(),
                milliseconds=20,
                status_code=500 if each % 2 else 200,
                error="500" if each % 2 else None,
            )
            for each in range(40)
        )


def make_people(boss: User, maker: User, others: Sequence[Account], few: int) -> None:
    """Members of staff, tokens, and people who want to be forgotten."""
    for number in range(few):
        staff.create(
            username=f"bench-staff-{number}", name=f"Staff {number}", groups=["support"], caller=call(boss)
        )
        tokens.issue(name=f"bench-service-{number}", groups=["api-read"], days=30, caller=call(boss))
    for account in others[-few // 2 :]:
        erasing.ask(user_id=account.user_id, reason="a letter", caller=call(maker))
