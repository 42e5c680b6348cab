"""Lists: pages that neither skip nor repeat, cursors that are nobody else's, filters that are exact."""

from itertools import chain

import pytest

from tests.bad_inputs_world import flip_a_bit
from tests.cast import AccountFactory, OrderFactory, deposit, withdraw
from tests.conftest import make_client
from transactions import posting

pytestmark = pytest.mark.django_db

LIST = "/api/v1/transactions"


@pytest.fixture
def rows(account):
    orders = [OrderFactory(account=account, reference=f"n{number}") for number in range(25)]
    return [answer.transaction for answer in posting.post(orders, actor=account.user_id)]


def follow(service, address, link="next"):
    pages = []
    while address:
        page = service.get(address).json()
        pages.append([row["reference"] for row in page["results"]])
        address = page[link]
    return pages


def test_pages_are_newest_first_and_complete(service, rows):
    pages = follow(service, f"{LIST}?page_size=10")
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [*chain(*pages)] == [f"n{number}" for number in reversed(range(25))]


def test_pages_stay_right_while_rows_are_added(service, rows, account):
    first = service.get(f"{LIST}?page_size=10").json()
    for _ in range(3):
        deposit(account, "1")
    rest = follow(service, first["next"])
    assert [row["reference"] for row in first["results"]] + [*chain(*rest)] == [
        f"n{number}" for number in reversed(range(25))
    ]


def test_the_way_back_is_the_way_there(service, rows):
    first = service.get(f"{LIST}?page_size=10").json()
    second = service.get(first["next"]).json()
    third = service.get(second["next"]).json()
    assert third["next"] is None
    assert service.get(third["previous"]).json()["results"] == second["results"]
    back = service.get(second["previous"]).json()
    assert back["results"] == first["results"]
    assert back["previous"] is None
    assert first["previous"] is None


def test_accounts_are_paged_too(service):
    made = {str(AccountFactory().id) for _ in range(7)}
    seen, address = [], "/api/v1/accounts?page_size=2"
    while address:
        page = service.get(address).json()
        seen += [item["id"] for item in page["results"]]
        address = page["next"]
    assert sorted(seen) == sorted(made)


def test_a_cursor_is_for_its_caller_list_and_filters_only(service, rows):
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


def test_filters_find_exactly_the_rows(service, account, petya):
    other = AccountFactory()
    first = deposit(account, "10", reference="a")
    second = withdraw(account, "50", reference="b")
    third = deposit(other, "10", reference="a")
    everything = [first, second, third]
    for query, expected in [
        ({"account": str(account.id)}, [first, second]),
        ({"user": str(petya.id)}, [first, second]),
        ({"type": "WITHDRAW"}, [second]),
        ({"status": "DECLINED"}, [second]),
        ({"status": "POSTED", "reference": "a"}, [first, third]),
        ({"recorded_after": first.to_dict()["recorded_at"]}, [second, third]),
        ({"recorded_before": first.to_dict()["recorded_at"]}, [first]),
        ({"effective_after": second.to_dict()["effective_at"]}, [third]),
        ({"effective_before": "2020-01-01"}, []),
        ({"effective_after": "2020-01-01"}, everything),
        ({"transfer": str(first.id)}, []),
    ]:
        found = [row["id"] for row in service.get(LIST, query).json()["results"]]
        assert found == [str(row.id) for row in reversed(expected)], query
