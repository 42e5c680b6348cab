"""Pages of rows that were all recorded at one moment (ADR 17)."""

from itertools import islice
from types import SimpleNamespace

import pytest
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.models import Account, User
from ledger.callers import Caller
from tests import asking
from tests.cast import OrderFactory, new_id
from tests.conftest import make_client
from tests.database import empty_the_ledger
from tests.transactions.test_filters_oracle import cut, read_pages
from transactions.models import Transaction

LIST = "/api/v1/transactions"
ROWS, PAGE = 3000, 100


@pytest.fixture(scope="module")
def newest_first(django_db_setup, django_db_blocker):
    """The ids of a deposit to each of many accounts, all posted in one commit, as lists have them."""
    with django_db_blocker.unblock():
        ids = [new_id() for _ in range(ROWS)]
        users = User.objects.bulk_create(User(id=id, username=str(id)) for id in ids)
        some = (Account(user=user, currency="USD") for user in users)
        accounts = Account.objects.bulk_create(some, batch_size=1000)
        asking.post([OrderFactory(account=account) for account in accounts], caller=Caller(new_id()))
        assert Transaction.objects.values("recorded_at").distinct().count() == 1
        yield [str(id) for id in Transaction.objects.order_by("-id").values_list("id", flat=True)]
        empty_the_ledger()


@pytest.mark.django_db
def test_rows_of_one_moment_are_paged_through_once_each_and_back(newest_first):
    reader = make_client("api-read")
    pages, last = read_pages(reader, f"{LIST}?page_size={PAGE}", "next")
    assert pages == cut(newest_first, PAGE)
    back, _ = read_pages(reader, last["previous"], "previous")
    assert back == pages[-2::-1]


class OfDRF(CursorPagination):
    """A cursor of one value and an offset, also when the order has two columns."""

    ordering = ("-recorded_at", "-id")
    page_size = PAGE


def read_pages_of_drf():
    address = LIST
    while address:
        pagination = OfDRF()
        request = Request(APIRequestFactory().get(address))
        page = pagination.paginate_queryset(Transaction.objects.all(), request, SimpleNamespace())
        yield [str(row.id) for row in page]
        address = pagination.get_next_link()


@pytest.mark.django_db
def test_drfs_cursors_come_as_far_as_their_largest_offset_and_lead_to_the_same_page_for_ever(newest_first):
    reached = CursorPagination.offset_cutoff // PAGE
    pages = list(islice(read_pages_of_drf(), ROWS // PAGE + 10))
    assert len(pages) == ROWS // PAGE + 10  # and there would be more
    assert pages[: reached + 1] == cut(newest_first, PAGE)[: reached + 1]
    assert pages[reached:] == [pages[reached]] * (len(pages) - reached)
