"""What events have told of users, accounts and holds is proven: MACs, texts, and the rows themselves.

Each harm is done as superuser with the guards off and on again.
"""

import pytest
from django.db.transaction import atomic, set_rollback

from accounts.models import Hold
from events import feed
from events.models import Event, Text
from ledger import macs
from tests.cast import UserFactory
from tests.transactions.test_audit import harm, make_history, prove
from tests.transactions.test_audit_sql import is_of

pytestmark = pytest.mark.django_db
OTHER_ID = "'00000000-0000-4000-8000-00000000000a'"
OF_EVENTS = [
    "type = 'account.changed'",
    "recorded_at = recorded_at + interval '1 microsecond'",
    f"actor = {OTHER_ID}",
    "actor_kind = 'staff'",
    "request_id = request_id || '!'",
    'data = data || \'{"credit_limit": "50.00"}\'',
    'before = before || \'{"credit_limit": "1.00"}\'',
    "before = NULL",
    "text = NULL, text_mac = NULL",
    f"text = {OTHER_ID}",
    "text_mac = sha256('')",
    "mac = sha256('')",
    "mac = '\\x02' || substr(mac, 2)",
]
OF_ACCOUNTS = [
    "user_id = (SELECT id FROM accounts_user WHERE name = 'thief')",
    "currency = 'EUR'",
    "name = 'other'",
    "status = 'FROZEN'",
    "status_reason = status_reason || '!'",
    "credit_limit = 1000000, credit_limit_max = 1000000",
    "credit_limit_max = 1000000",
    "withdraw_max = 1",
    "withdraw_day_max = 1",
    'metadata = \'{"a": "b"}\'',
    "created_at = created_at - interval '1 day'",
    "withdrawn = 0, withdrawn_on = NULL",
    "withdrawn_on = '2026-01-01'",
]
OF_HOLDS = [
    "expires_at = now() + interval '1 year'",
    "reference = 'x'",
    'metadata = \'{"a": "b"}\'',
    "created_at = created_at - interval '1 day'",
    f"actor = {OTHER_ID}",
    "request_id = 'x'",
    "event_sequence = event_sequence + 1",
    f"id = {OTHER_ID}",
]
OF_USERS = [
    "name = 'other'",
    "external_id = 'other'",
    'metadata = \'{"a": "b"}\'',
    "created_at = created_at - interval '1 day'",
    'created_as = created_as || \'{"currency": "EUR"}\'',
    "last_recorded_at = last_recorded_at + interval '1 second'",
    "event_sequence = event_sequence + 1",
]


@pytest.fixture
def account(db):
    """With everything in it; beside it a thief, who has an account of his own."""
    account = make_history()
    UserFactory(name="thief", currency="EUR")
    feed.read()
    assert prove().findings == []
    return account


def find(statement, *parameters):
    """The rows that are named after the harm, which is taken back."""
    with atomic():
        harm(statement, *parameters)
        found = {(finding.table, finding.row) for finding in prove().findings}
        set_rollback(True)
    return found


@pytest.mark.parametrize("change", OF_EVENTS)
def test_an_event_that_was_changed_is_found(account, change):
    if "text" in change:
        event = Event.objects.filter(type="account.opened").first()
    else:
        event = Event.objects.get(type="account.limits_changed")
    assert ("events_event", event.id) in find(f"UPDATE events_event SET {change} WHERE {is_of(event)}")


@pytest.mark.parametrize(
    "change", [f"owner = {OTHER_ID}", "content = '{}'", 'content = content || \'{"data/name": "other"}\'']
)
def test_a_text_that_was_changed_is_found(account, change):
    text = Text.objects.filter(owner=account.user_id).earliest("id")
    assert ("events_text", str(text.id)) in find(f"UPDATE events_text SET {change} WHERE id = '{text.id}'")


def test_a_text_that_was_removed_is_found(account):
    event = Event.objects.filter(stream=account.id).earliest("sequence")
    assert ("events_event", event.id) in find("DELETE FROM events_text WHERE id = %s", event.text)


def test_a_text_that_was_erased_with_nobody_is_found(account):
    harm("UPDATE events_text SET content = NULL")
    erased = {str(id) for id in Text.objects.values_list("id", flat=True)}
    assert {(finding.check, finding.row) for finding in prove().findings} == {
        ("erasures", id) for id in erased
    }


@pytest.mark.parametrize("change", OF_ACCOUNTS)
def test_an_account_that_is_not_what_was_told_is_found(account, change):
    found = find(f"UPDATE accounts_account SET {change} WHERE id = '{account.id}'")
    assert ("accounts_account", str(account.id)) in found


@pytest.mark.parametrize("change", OF_HOLDS)
def test_a_hold_that_is_not_what_was_told_is_found(account, change):
    for hold in Hold.objects.filter(account=account):
        found = find(f"UPDATE accounts_hold SET {change} WHERE id = '{hold.id}'")
        assert ("accounts_hold", str(hold.id)) in found


def test_a_closed_hold_that_was_removed_is_found(account):
    for hold in Hold.objects.filter(account=account).exclude(status="OPEN"):
        assert ("accounts_hold", str(hold.id)) in find("DELETE FROM accounts_hold WHERE id = %s", hold.id)


def test_a_hold_that_was_put_in_is_found(account):
    hold = Hold.objects.filter(account=account).exclude(status="OPEN").first()
    columns = [field.column for field in Hold._meta.concrete_fields]
    values = ", ".join(OTHER_ID if name == "id" else name for name in columns)
    copy = (
        f"INSERT INTO accounts_hold ({', '.join(columns)}) SELECT {values} FROM accounts_hold WHERE id = %s"
    )
    assert ("accounts_hold", OTHER_ID.strip("'")) in find(copy, hold.id)


@pytest.mark.parametrize("change", OF_USERS)
def test_a_user_who_is_not_who_was_told_is_found(account, change):
    found = find(f"UPDATE accounts_user SET {change} WHERE id = '{account.user_id}'")
    assert ("accounts_user", str(account.user_id)) in found


@pytest.mark.parametrize("type", ["account.opened", "user.created"])
def test_an_account_or_a_user_without_its_first_event_is_found(account, type):
    stream = account.id if type == "account.opened" else account.user_id
    row = ("accounts_account", "accounts_user")[type == "user.created"], str(stream)
    assert row in find("DELETE FROM events_event WHERE stream = %s AND type = %s", stream, type)


def test_a_mac_is_right_under_a_key_that_was_rotated_and_in_a_form_that_is_known(account, settings):
    settings.CHAIN_KEY_FALLBACKS = [settings.CHAIN_KEY]
    settings.CHAIN_KEY = "a new key, of thirty-two bytes or more"
    assert prove().findings == []
    settings.CHAIN_KEY_FALLBACKS = []
    assert len(prove().findings) > 10


def test_a_second_form_may_stand_beside_the_first(account, monkeypatch):
    first = macs.FORMS[1]
    monkeypatch.setitem(macs.FORMS, 2, lambda kind, values: b"another form: " + first(kind, values))
    UserFactory()
    assert {bytes(event.mac)[0] for event in Event.objects.filter(about=None)} == {1, 2}
    assert prove().findings == []
    monkeypatch.delitem(macs.FORMS, 2)
    tables = {finding.table for finding in prove().findings}
    assert tables == {
        "events_event",
        "accounts_account",
        "accounts_user",
    }  # what cannot be read tells nothing
