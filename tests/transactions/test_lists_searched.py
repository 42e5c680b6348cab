"""Lists by what no index of the ledger finds: metadata, amounts, reasons, keys, words; in two orders.

They are asked of a plain reading of all rows, as in test_filters_oracle.py: where things are rare, where they
are common and few rows are looked at for a page, and where the ledger finds the rows without the search.
"""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from accounts import operations
from accounts.models import User
from ledger.callers import Caller
from rest.times import parse_time
from tests import asking
from tests.accounts.erasing import forget
from tests.cast import CALLER, AccountFactory, UserFactory, day, deposit, hold, new_id, transfer, withdraw
from tests.conftest import make_client
from tests.database import empty_the_ledger, execute
from tests.searching import follow
from tests.transactions.test_filters_oracle import cut, make_address, read_pages, require_exact_pages
from transactions import search
from transactions.models import Transaction
from transactions.posting.commands import NewTransaction
from transactions.search import listing

pytestmark = pytest.mark.django_db

LIST = "/api/v1/transactions"
USERS = "/api/v1/users"


def ask(client, query, address=LIST):
    """The ids of all pages that are answered, and the last page."""
    separator = "&" if "?" in address else "?"
    pages, page = read_pages(client, f"{address}{separator}{query}", "next")
    return [id for page in pages for id in page], page


def refuse(client, query, address=LIST):
    answer = client.get(f"{address}?{query}")
    assert answer.status_code == 400, answer.content
    return answer.json()["errors"][0]["pointer"], answer.json()["code"]


@pytest.fixture
def orders():
    """An account with three orders, one of them backdated, one declined."""
    account = AccountFactory(funds="100")
    rows = {
        "7": deposit(account, "7", metadata={"order": "7", "channel": "web"}),
        "8": withdraw(
            account, "8", metadata={"order": "8", "channel": "web"}, effective_at=day("2023-01-01")
        ),
        "9": withdraw(account, "5000", metadata={"order": "9", "channel": "shop"}),
    }
    follow()
    return {name: str(row.id) for name, row in rows.items()}


def test_x(service, orders):
    for query in ["metadata.order=7", "metadata.channel=web", "metadata.channel=web&metadata.order=8", "amount=7", "amount_min=8&amount_max=99",
                  "decline_reason=insufficient_funds", "order=-effective_at", "order=effective_at","order=recorded_at", "currency=USD", "currency=EUR", "request_id=x","reverses="+orders["7"], "idempotency_key=a"]:
        print(query, [ [k for k,v in orders.items() if v==i] for i in ask(service, query)[0]], {k:v for k,v in ask(service, query)[1].items() if k!="results"})
    for query in ["metadata=7","metadata.=7","metadata.order=","metadata.a=1&metadata.b=1&metadata.c=1&metadata.d=1", "metadata.%00=1", "amount=-1","amount=1e3","order=amount", "decline_reason=x", "metadata.x=%00"]:
        print(query, refuse(service, query))
