"""The list of corrections, what the sidebar says of it, and what both cost."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import deposit
from tests.office.correcting import LIST, adjust, ask_to_reverse, page, read
from tests.office.staff import make_staff, open_office
from transactions.models import Correction

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(first):
    return open_office(first)


def test_the_queue_shows_what_waits_and_all_shows_all(office, first, account):
    done, waiting = adjust(account, "5", first), adjust(account, "500", first)
    queue, everything = read(office.get(LIST)), read(office.get(f"{LIST}?state=all"))
    assert (str(done.id) in queue, str(waiting.id) in queue) == (False, True)
    assert str(done.id) in everything
    assert str(waiting.id) in everything
    for words in (done.id, account.id):
        assert str(done.id) in read(office.get(LIST, {"q": str(words)}))
    for query in ("q=x", "q=%00", "state=x", "state=all&p=9999", "x=1"):
        assert office.get(f"{LIST}?{query}", follow=True).status_code == 200, query
    assert office.get(f"{LIST}?amount__gt=1").status_code == 400


def test_the_sidebar_counts_what_waits(office, first, account):
    def shown():
        lead = read(office.get("/admin/find/")).split('href="/admin/transactions/correction/"')[1]
        text = re.sub(r"<[^>]*>", "", lead[lead.index(">") + 1 : lead.index("</a>")])
        return text.split()[-1]

    assert shown() == "Corrections"
    for _ in range(2):
        adjust(account, "500", first)
    assert shown() == "2"


def test_what_staff_wrote_is_shown_and_not_run(office, account):
    row = deposit(account, "500")
    ask_to_reverse(office, row, reason="<script>alert(1)</script>")
    for address in (page(Correction.objects.get()), LIST):
        text = read(office.get(address))
        assert "<script>alert(1)" not in text
        assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("id", ["x", "%00", "00000000-0000-0000-0000-000000000000"])
def test_an_id_of_nothing_leads_back(office, id):
    for name in ("change", "approve", "reject"):
        assert office.get(f"{LIST}{id}/{name}/").status_code == 302


def count(office, address):
    with CaptureQueriesContext(connection) as queries:
        assert office.get(address).status_code == 200
    return len(queries)


def test_the_pages_cost_the_same_however_many_there_are(office, first, account):
    correction = adjust(account, "500", first)
    addresses = (page(correction), LIST, f"{LIST}?state=all")
    before = [count(office, address) for address in addresses]
    for number in range(30):
        adjust(account, "500" if number % 2 else "1", make_staff("operations"))
    assert [count(office, address) for address in addresses] == before
    assert max(before) <= 16
