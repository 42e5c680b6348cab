"""Lists: pages that are complete, cursors that are nobody else's, parameters that cannot be.

That filters and pages are exact is in tests/transactions/test_filters_oracle.py.
"""

import pytest

from ledger.callers import Caller
from tests.bad_inputs_world import flip_a_bit
from tests.cast import OrderFactory, deposit
from tests.conftest import make_client
from tests.transactions.test_filters_oracle import cut, read_pages
from transactions import posting

pytestmark = pytest.mark.django_db

LIST = "/api/v1/transactions"


def test_pages_are_newest_first_and_complete(service, account):
    orders = [OrderFactory(account=account) for _ in range(25)]
    rows = [str(answer.transaction.id) for answer in posting.post(orders, caller=Caller(account.user_id))]
    pages, _ = read_pages(service, f"{LIST}?page_size=10", "next")
    assert pages == cut(rows[::-1], 10)


def test_a_client_goes_on_by_the_cursor_or_by_the_address(service, account):
    for _ in range(3):
        deposit(account, "1")
    first = service.get(f"{LIST}?page_size=2").json()
    pages = [service.get(first["next"]), service.get(LIST, {"page_size": 2, "cursor": first["next_cursor"]})]
    assert pages[0].json() == pages[1].json()
    assert len(pages[0].json()["results"]) == 1
    assert (pages[0].json()["next"], pages[0].json()["next_cursor"]) == (None, None)


def test_what_is_no_choice_is_told_what_the_choices_are(service):
    [error] = service.get(f"{LIST}?status=posted").json()["errors"]
    assert error == {
        "pointer": "?status",
        "code": "invalid_parameter",
        "detail": "One of POSTED, DECLINED.",
    }


def test_a_cursor_is_for_its_caller_list_and_filters_only(service, account):
    for _ in range(2):
        deposit(account, "1")
    link = service.get(f"{LIST}?page_size=1&type=DEPOSIT").json()["next"]
    cursor = link.partition("cursor=")[2].partition("&")[0]
    assert service.get(f"{LIST}?type=DEPOSIT&cursor={cursor}").status_code == 200
    for answer in (
        make_client("api-read").get(f"{LIST}?type=DEPOSIT&cursor={cursor}"),
        service.get(f"{LIST}?cursor={cursor}"),
        service.get(f"/api/v1/accounts?cursor={cursor}"),
        service.get(f"{LIST}?type=DEPOSIT&cursor={flip_a_bit(cursor)}"),
        service.get(f"{LIST}?type=DEPOSIT&cursor="),
        service.get(f"{LIST}?type=DEPOSIT&cursor=%00"),
        service.get(f"{LIST}?type=DEPOSIT&cursor={'a' * 5000}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("size", ["0", "-1", "501", "1000000000", "abc", "1.5", "１０", "1e3", "true", ""])
def test_a_page_has_1_to_500_rows(service, size):
    answer = service.get(LIST, {"page_size": size})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    "query",
    ["account=x", "account=%00", "type=TRANSFER", "status=", "recorded_after=yesterday", "reference=%00"]
    + ["account={3fa85f64-5717-4562-b3fc-2c963f66a003}", "effective_before=2023-01-04T00:00:00+00:00"],
)
def test_a_filter_that_cannot_be_is_refused(service, query):
    answer = service.get(f"{LIST}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["errors"][0]["pointer"] == "?" + query.partition("=")[0]


@pytest.mark.parametrize(
    "query", ["_connector=OR", "user__password__startswith=p", "ordering=amount", "q=x", "format=json"]
)
def test_a_parameter_that_is_not_known_is_refused(service, query):
    assert service.get(f"{LIST}?{query}").json()["code"] == "unknown_parameter"
