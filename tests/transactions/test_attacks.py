"""What was once shown to leak around the money, tried again: each attack is refused, or found by its row.

As the service's role with the guards on; as a superuser who switches them off and on again; and over the API
and in the office, where whatever is changed says who has changed it.
"""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError

from accounts.models import Account
from tests import asking
from tests.cast import UserFactory, day, deposit, hold, new_id, withdraw
from tests.database import execute
from tests.office.account_pages import find_address
from tests.office.staff import make_staff, open_office
from tests.tampering import drill, hands
from tests.tampering.hands import Hands, guards_off
from tests.tampering.outcomes import Outcome
from tests.test_guards import EVENT, insert
from tests.transactions.conftest import run_command
from tests.transactions.correcting import adjust, approve
from tests.transactions.test_audit import prove
from transactions.proof import anchors

pytestmark = pytest.mark.django_db
ACCOUNTS, HOLDS, CORRECTIONS = "accounts_account", "accounts_hold", "transactions_correction"
USERS, ENTRIES, HEADS = "accounts_user", "events_recordentry", "events_recordhead"
REFUSED, FOUND, *_ = Outcome
# What is so, what would let more money out, and the withdrawal that it would allow.
RULES = {
    "a credit limit of a million": (
        {},
        {"credit_limit": "1000000.00", "credit_limit_max": "1000000.00"},
        "5000",
    ),
    "more for one withdrawal": ({"withdraw_max": 5}, {"withdraw_max": "1000000.00"}, "7"),
    "no limit of one withdrawal": ({"withdraw_max": 5}, {"withdraw_max": None}, "7"),
    "more for a day": ({"withdraw_day_max": 5}, {"withdraw_day_max": "1000000.00"}, "2"),
    "no limit of a day": ({"withdraw_day_max": 5}, {"withdraw_day_max": None}, "2"),
    "not frozen any more": ({"status": "FROZEN"}, {"status": "ACTIVE"}, "1"),
}
NOTHING_WITHDRAWN = [
    "withdrawn = 0",
    "withdrawn = 0, withdrawn_on = NULL",
    "withdrawn_on = withdrawn_on - 1",
    "withdrawn = 0, withdrawn_on = withdrawn_on - 1",
]


@pytest.fixture
def attack():
    """Do it, look, and take it back: what has become of it. Ask for it last."""
    hands.prepare()
    anchor = drill.make_anchor()

    def run(who, table, statement):
        return drill.attempt(who, table, statement, anchor)

    return run


def update(table, id, changes):
    return f"UPDATE public.{table} AS r SET {changes} WHERE id = '{id}' RETURNING to_jsonb(r)"


def write_changes(changes):
    return ", ".join(f"{name} = {quote(value)}" for name, value in changes.items())


def quote(value):
    return "NULL" if value is None else f"'{value}'"


def give_rules(account, rules):
    """To an account with 0.00, or with 46.00 of which 4.00 more were withdrawn today."""
    if rules:
        deposit(account, "50")
        withdraw(account, "4")
    if rules.get("status"):
        asking.freeze(id=account.id, reason="a stolen card", request_id="")
    elif rules:
        limits = {name: Decimal(limit) for name, limit in rules.items()}
        asking.set_limits(id=account.id, limits=limits, request_id="")


@pytest.mark.parametrize("attempted", RULES)
def test_the_service_raises_a_limit_in_sql_and_withdraws(service, account, attempted):
    rules, changes, amount = RULES[attempted]
    give_rules(account, rules)
    balance = Account.objects.get(id=account.id).balance
    hands.prepare()
    with pytest.raises(DatabaseError):
        hands.change(Hands.SERVICE, ACCOUNTS, update(ACCOUNTS, account.id, write_changes(changes)))
    body = {"id": str(new_id()), "account": str(account.id), "type": "WITHDRAW", "amount": amount}
    assert service.post("/api/v1/transactions", body).status_code in (402, 422)  # declined
    assert Account.objects.get(id=account.id).balance == balance
    assert prove().findings == []


@pytest.mark.parametrize("attempted", RULES)
def test_the_service_raises_a_limit_in_sql_with_an_event_that_it_made_up(account, attack, attempted):
    """It may write the event that the guard asks for, but has no key for its MAC."""
    rules, changes, _ = RULES[attempted]
    give_rules(account, rules)
    assert attack(Hands.SERVICE, ACCOUNTS, make_up(account, changes)) is FOUND


def make_up(account, changes):
    """The change of rules with an event that tells it, in one statement."""
    account = Account.objects.with_held_due().get(id=account.id)
    moment = quote(account.last_recorded_at + timedelta(seconds=1))
    place = {
        "stream": quote(account.id),
        "sequence": str(account.event_sequence + 1),
        "recorded_at": moment,
    }
    type = "account.unfrozen" if "status" in changes else "account.limits_changed"
    told = {name: value for name, value in changes.items() if name != "credit_limit_max"}
    event = EVENT | place | {"type": quote(type), "data": quote(json.dumps(account.to_dict() | told))}
    counted = f"event_sequence = event_sequence + 1, last_recorded_at = {moment}"
    return (
        f"WITH told AS ({insert('events_event', event)}), waits AS ({insert('events_pending', place)})"
        f" {update(ACCOUNTS, account.id, f'{write_changes(changes)}, {counted}')}"
    )


@pytest.mark.parametrize("changes", NOTHING_WITHDRAWN)
def test_the_service_forgets_in_sql_what_was_withdrawn_today(account, attack, changes):
    give_rules(account, {"withdraw_day_max": 5})
    assert attack(Hands.SERVICE, ACCOUNTS, update(ACCOUNTS, account.id, changes)) in (REFUSED, FOUND)


def test_the_service_opens_an_account_in_sql_that_no_event_tells(account, attack):
    statement = (
        f"INSERT INTO {ACCOUNTS} AS r (id, user_id, name, currency, status, balance, held, credit_limit,"
        " credit_limit_max, seq, version, event_sequence, chain_head, metadata)"
        f" VALUES (gen_random_uuid(), '{account.user_id}', 'spare', 'USD', 'ACTIVE', 0, 0, 0, 0, 0, 0, 0, '',"
        " '{}') RETURNING to_jsonb(r)"
    )
    assert attack(Hands.SERVICE, ACCOUNTS, statement) in (REFUSED, FOUND)


def test_a_superuser_gives_the_account_to_a_thief(account):
    deposit(account, "100")
    thief = UserFactory(name="thief", currency="EUR")
    hands.prepare()
    anchor = drill.make_anchor()
    hands.change(Hands.SUPERUSER, ACCOUNTS, update(ACCOUNTS, account.id, f"user_id = '{thief.id}'"))
    for _, findings in drill.find_wrong(anchor):  # of the audit, and of an anchor
        assert str(account.id) in {finding.row for finding in findings}


def test_a_superuser_lets_a_hold_end_later(rich, attack):
    placed = hold(rich, "30", expires_at=day("2999-01-01"))
    later = "expires_at = expires_at + interval '1 microsecond'"
    assert attack(Hands.SUPERUSER, HOLDS, update(HOLDS, placed.id, later)) is FOUND


@pytest.mark.parametrize("end", ["released", "declined"])
def test_a_superuser_deletes_a_closed_hold(rich, attack, end):
    placed = hold(rich, "30" if end == "released" else "3000")
    if end == "released":
        asking.release_hold(id=placed.id)
    removal = f"DELETE FROM {HOLDS} AS r WHERE id = '{placed.id}' RETURNING to_jsonb(r)"
    assert attack(Hands.SUPERUSER, HOLDS, removal) is FOUND


def test_a_superuser_makes_a_correction_posted_that_has_no_transaction_and_no_checker(account, attack):
    waiting = adjust(account, make_staff("operations"), "5000")
    posted = "status = 'POSTED', needs_approval = false, decided_at = now()"
    assert attack(Hands.SUPERUSER, CORRECTIONS, update(CORRECTIONS, waiting.id, posted)) is FOUND


@pytest.mark.parametrize("checker", ["NULL", "maker_id"])
def test_a_superuser_takes_the_checker_of_a_posted_correction_away(account, attack, checker):
    first, second = make_staff("operations"), make_staff("operations")
    posted = approve(adjust(account, first, "5000"), second)
    alone = f"needs_approval = false, checker_id = {checker}"
    assert attack(Hands.SUPERUSER, CORRECTIONS, update(CORRECTIONS, posted.id, alone)) is FOUND


def look_at(account):
    """Whoever it was."""
    member = make_staff("support")
    browser = open_office(member)
    for _ in range(2):
        assert browser.get(find_address(account)).status_code == 200
    return member


def test_a_superuser_empties_the_access_log(account, attack):
    look_at(account)
    assert attack(Hands.SUPERUSER, ENTRIES, f"DELETE FROM {ENTRIES} AS r RETURNING to_jsonb(r)") is FOUND


def test_a_superuser_removes_all_that_somebody_has_looked_at(account):
    """With the head of the stream: then only an anchor knows what there was."""
    member = look_at(account)
    hands.prepare()
    anchor = drill.make_anchor()
    for table in (ENTRIES, HEADS):
        with guards_off(table):
            assert execute(f"DELETE FROM {table} WHERE stream = '{member.pk}'")
    assert prove().findings == []
    assert {finding.row.partition(".")[0] for finding in anchors.verify(anchor)} == {str(member.pk)}


def test_the_service_writes_an_entry_of_the_record_in_the_name_of_somebody_else(account, attack):
    """It may add entries, but has no key for their hashes."""
    look_at(account)
    statement = f"""
        WITH forged AS (
            INSERT INTO {ENTRIES} (stream, number, recorded_at, actor, actor_kind, request_id, type, action,
                subject, subject_id, data, chain_hash)
            SELECT stream, number + 1, clock_timestamp(), stream, 'staff', '', 'account.viewed', 'VIEW',
                'account', '', '{{}}', set_byte(chain_hash, 9, 255 - get_byte(chain_hash, 9))
            FROM {HEADS} WHERE number > 1 RETURNING stream, number, recorded_at, chain_hash
        )
        UPDATE {HEADS} AS r SET number = forged.number, recorded_at = forged.recorded_at,
            chain_hash = forged.chain_hash
        FROM forged WHERE r.stream = forged.stream RETURNING to_jsonb(r)"""
    assert attack(Hands.SERVICE, ENTRIES, statement) is FOUND


def test_a_superuser_changes_what_an_event_tells(account, attack):
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(5)}, request_id="")
    statement = (
        """UPDATE events_event AS r SET data = data || '{"credit_limit": "6.00"}'"""
        f" WHERE stream = '{account.id}' AND type = 'account.limits_changed' RETURNING to_jsonb(r)"
    )
    assert attack(Hands.SUPERUSER, "events_event", statement) is FOUND


def test_a_superuser_replaces_the_body_of_a_guard_by_a_no_op(account):
    execute(
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$"
    )
    status, text = run_command("audit_balances", "--workers", "1")
    assert (status, "ledger_refuse" in text) == (1, True)
