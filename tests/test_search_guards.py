"""What the database refuses of what is searched and of attempts to send, attacked in plain SQL."""

import pytest

from tests.events.conftest import subscribe
from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

PERSON = {
    "user_id": "'00000000-0000-4000-8000-000000000001'", "name": "'x'", "external_id": "''",
    "contacts": "'{}'", "keys": "'{}'",
}  # fmt: skip
REFERENCE = {
    "id": "'00000000-0000-4000-8000-000000000001'", "is_hold": "false",
    "recorded_at": "now()", "reference": "'x'", "keys": "'{}'",
}  # fmt: skip
AMOUNT = {
    "amount": "1", "at": "now()",
    "id": "'00000000-0000-4000-8000-000000000001'", "is_hold": "false",
}  # fmt: skip
TERM = {"term": "1", "at": "now()", "id": "'00000000-0000-4000-8000-000000000001'"}
STATE = {"id": "1", "position": "0", "rebuilding": "''"}
ATTEMPT = {
    "id": "1", "subscription_id": "(SELECT id FROM events_subscription LIMIT 1)", "position": "1",
    "began_at": "now()", "milliseconds": "1",
}  # fmt: skip
INSERTS = [
    ("transactions_searchedperson_pkey", insert("transactions_searchedperson", *[PERSON] * 2)),
    ("transactions_searchedreference_pkey", insert("transactions_searchedreference", *[REFERENCE] * 2)),
    ("transactions_searchedamount_pkey", insert("transactions_searchedamount", *[AMOUNT] * 2)),
    ("transactions_searchedterm_pkey", insert("transactions_searchedterm", *[TERM] * 2)),
    ("transactions_searchstate_pkey", insert("transactions_searchstate", *[STATE] * 2)),
    ("search_state_is_one_row", insert("transactions_searchstate", STATE | {"id": "2"})),
    ("events_attempt_pkey", insert("events_attempt", *[ATTEMPT] * 2)),
]


@pytest.mark.parametrize(("rule", "attack"), INSERTS)
def test_what_cannot_be_is_refused(rule, attack):
    subscribe("https://8.8.8.8/")
    with refused_by(rule):
        execute(attack)
