"""What a page costs does not depend on how much there is."""

from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import Group

from accounts import operations
from ledger.callers import Caller
from tests.asking import capture_of, release_hold
from tests.cast import CALLER, UserFactory, deposit, hold, issue_token, new_id, withdraw
from tests.claims import claim
from tests.office.answers import count_queries
from tests.office.correcting import adjust
from tests.office.dashboards import make_run, subscribe
from tests.office.notes import note
from tests.office.staff import give_device, make_staff
from tests.office.things import find_id, make_things
from transactions import posting

# The queries of a list, and of the page of one of them, at most. The page of an account has its own test.
QUERIES_MAX = {
    "accounts/user/": 14,
    "accounts/user/{id}/change/": 15,
    "accounts/account/": 14,
    "accounts/erasure/": 14,
    "accounts/erasure/?state=all": 14,
    "accounts/erasure/{id}/change/": 14,
    "accounts/hold/": 14,
    "accounts/hold/{id}/change/": 14,
    "accounts/claim/": 14,
    "accounts/claim/?status=OPEN": 14,
    "accounts/claim/{id}/change/": 16,
    "accounts/note/": 14,
    "accounts/note/?which=mine": 14,
    "accounts/note/?which=all": 14,
    "accounts/note/{id}/change/": 14,
    "accounts/staff/": 14,
    "accounts/staff/{id}/change/": 15,
    "accounts/token/": 14,
    "events/placement/": 15,
    "events/placement/?q={account}": 15,
    "events/placement/{id}/change/": 15,
    "events/subscription/": 13,
    "events/subscription/{id}/change/": 18,
    "events/recordentry/": 14,
    "transactions/auditrun/": 18,
    "transactions/auditrun/{id}/change/": 15,
    "transactions/correction/": 16,
    "transactions/correction/?state=all": 16,
    "transactions/correction/{id}/change/": 26,
    "transactions/transaction/": 18,
    "transactions/transaction/{id}/change/": 20,
}


def have_more(things):
    """Of everything some dozens, also of what the pages of these things show."""
    account, placed = things["accounts/account"], things["accounts/hold"]
    earlier = things["transactions/transaction"].recorded_at - timedelta(days=1)
    things["accounts/staff"].groups.set(Group.objects.all())
    give_device(things["accounts/staff"])
    deposit(account, "100")
    for number in range(40):
        member = make_staff("support", "auditor")
        note(member, subject_id=new_id())
        adjust(account, "500" if number % 2 else "1", member)
        deposit(account, "1", effective_at=earlier)
        withdraw(account, "5000")
        hold(account, "1")
        posting.post([capture_of(placed, Decimal("0.01"), final=False)], caller=Caller(member.id))
        operations.create_account(user_id=account.user_id, currency="EUR", name=f"a{number}", caller=CALLER)
        claim(things["accounts/claim"].account, "1")
        deposit(things["accounts/claim"].account, "1")
        issue_token("api-read", user=UserFactory())
        subscribe(number, position=0)
        make_run()
    release_hold(id=placed.id)


def test_a_page_costs_the_same_however_much_there_is(superuser):
    things = make_things()

    def count():
        counts = {}
        for page in QUERIES_MAX:
            thing = things["/".join(page.split("/")[:2])]
            address = page.format(id=find_id(thing), account=things["accounts/account"].id)
            counts[page] = count_queries(superuser, f"/admin/{address}")
        return counts

    count()  # what is kept in memory from then on
    before = count()
    have_more(things)
    assert count() == before
    assert {page: queries for page, queries in before.items() if queries > QUERIES_MAX[page]} == {}
