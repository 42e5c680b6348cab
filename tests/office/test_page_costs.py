"""What a page costs does not depend on how much there is: so many statements, and few pages of the database.

It is asked of a ledger of a hundred transactions. `LEDGER_ROWS` makes a second one, of so many transactions
and as many users, and asks for every filter of every list too; `make soak` asks for a million.
"""

import os
import sys
from typing import NamedTuple

import pytest
from django.test import override_settings

from accounts.models import User
from benchmarks import office_ledger, office_pages, pages_read
from ledger_project.groups import create_groups
from tests.database import empty_the_ledger
from tests.office.page_costs import QUERIES_MAX
from tests.office.staff import open_office

SMALL, LARGE = 100, int(os.environ.get("LEDGER_ROWS", "0"))
pytestmark = pytest.mark.timeout(600 + LARGE // 200)

PAGES_MAX = 2000
# On the large ledger, of what is on the small one: an index is four pages high and not one or two, and where
# the small ledger has some dozens of rows to show, a page is full.
TIMES_MAX, MORE_MAX = 6, 700


class Cost(NamedTuple):
    status: int
    queries: int
    pages: int


def read_all(pages):
    """What each of them costs, by its title."""
    client = open_office(User.objects.get(username="bench-boss"))
    examples = office_pages.find_examples()
    client.get("/admin/")  # what is kept in memory from then on
    costs = {}
    with pages_read.planned_as_for_the_service():
        for page in pages:
            status, statements = pages_read.read(client, page, examples)
            pages = sum(each.pages for each in statements)
            costs[page] = Cost(status, len(statements), pages)
            sys.stdout.write(f"{page.title}: {costs[page]}\n")
    return costs


@pytest.fixture(scope="module")
def costs(django_db_setup, django_db_blocker):
    """By the number of transactions; of the small ledger alone no filters."""
    found = {}
    pages = [*office_pages.list_pages(), *(office_pages.list_filters() if LARGE else ())]
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=hashers):
        for rows in filter(None, (SMALL, LARGE)):
            try:
                create_groups()
                office_ledger.make_ledger(rows, users=rows)
                found[rows] = read_all(pages)
            finally:
                empty_the_ledger()
    return found


def test_every_page_is_shown(costs):
    for of_rows in costs.values():
        shown = {page.title: cost.status for page, cost in of_rows.items()}
        assert {title: status for title, status in shown.items() if status not in (200, 302)} == {}


def test_a_page_costs_no_more_queries_than_is_known(costs):
    for of_rows in costs.values():
        queries = {page.title: cost.queries for page, cost in of_rows.items() if not page.walks}
        assert queries.keys() == QUERIES_MAX.keys()
        assert {title: count for title, count in queries.items() if count > QUERIES_MAX[title]} == {}
        walked = {page.title: cost.queries for page, cost in of_rows.items() if page.walks}
        assert {title: count for title, count in walked.items() if count > max(QUERIES_MAX.values())} == {}


def test_a_page_reads_few_pages_of_the_database(costs):
    for of_rows in costs.values():
        assert {page.title: cost.pages for page, cost in of_rows.items() if cost.pages > PAGES_MAX} == {}


def test_a_page_reads_as_many_however_much_there_is(costs):
    """But for lists that are walked, which have more to walk through: these are bounded by the test above."""
    small, large = costs[SMALL], costs[max(costs)]
    more = {
        page.title: (small[page].pages, cost.pages)
        for page, cost in large.items()
        if not page.walks and cost.pages > TIMES_MAX * small[page].pages + MORE_MAX
    }
    assert more == {}
