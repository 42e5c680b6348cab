"""What the database refuses of tokens, to whoever writes them by plain SQL."""

import pytest

from tests.cast import issue_token
from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

TOKEN = {
    "digest": "'other'", "token_key": "'other'", "created": "now()", "expiry": "now()", "permissions": "'[]'",
    "account_names": "NULL", "types": "NULL", "amount_max": "NULL", "last_used_at": "NULL",
    "revoked_at": "NULL", "user_id": "(SELECT min(user_id::text)::uuid FROM accounts_token)",
}  # fmt: skip
# What no token can be.
CHECKS = [
    *(
        (rule, insert("accounts_token", TOKEN | {column: value}))
        for rule, column, values in (
            ("token_permissions_are_a_list", "permissions", ("'{}'", "'null'", "'\"x\"'")),
            ("token_account_names_are_a_list", "account_names", ("'{}'", "'[]'", "'null'", "'\"main\"'")),
            (
                "token_types_are_known",
                "types",
                ("'[]'", "'[\"GIFT\"]'", "'null'", '\'["WITHDRAW", "DEPOSIT"]\''),
            ),
            ("token_amount_max_is_bounded", "amount_max", ("0", "-1", "'NaN'", "1e12 + 0.00000001")),
        )
        for value in values
    ),
    ("accounts_token_pkey", insert("accounts_token", *[TOKEN] * 2)),
]
# What stays as it was issued, noted and revoked.
REFUSALS = [
    ("token_keeps_what_it_may", f"UPDATE accounts_token SET {change}")
    for change in (
        *("digest = 'x'", "token_key = 'x'", "user_id = gen_random_uuid()", "created = now()"),
        *("expiry = expiry + interval '1 day'", "expiry = NULL"),
        *("permissions = permissions || '[\"transactions.add_transaction\"]'", "permissions = '[]'"),
        *("account_names = NULL", "types = NULL", 'types = \'["DEPOSIT", "WITHDRAW"]\''),
        *("amount_max = NULL", "amount_max = amount_max + 1"),
        *("revoked_at = NULL", "revoked_at = revoked_at + interval '1 microsecond'"),
        *("last_used_at = NULL", "last_used_at = last_used_at - interval '1 microsecond'"),
    )
]


@pytest.fixture(autouse=True)
def token(session):  # noqa: F811
    """One that has all bounds, was used, and is revoked."""
    issue_token("api-read", account_names=["main"], types=["DEPOSIT"], amount_max=5)
    execute("UPDATE accounts_token SET last_used_at = now(), revoked_at = now()")


@pytest.mark.parametrize(("rule", "attack"), CHECKS)
def test_a_token_that_cannot_be_is_refused(rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_what_a_token_may_stays_as_it_was_issued(rule, attack):
    with refused_by(rule):
        execute(attack)


def test_a_token_is_used_later_and_later_and_revoked_once():
    execute(insert("accounts_token", TOKEN))
    for change in (
        "last_used_at = now()",
        "last_used_at = last_used_at + interval '1 second'",
        "last_used_at = last_used_at, revoked_at = now()",
        "last_used_at = last_used_at + interval '1 second'",
    ):
        assert execute(f"UPDATE accounts_token SET {change} WHERE digest = 'other'") == 1
