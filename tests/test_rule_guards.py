"""What an account is changes only in a statement that writes the event that tells it, by plain SQL too."""

import pytest

from accounts.models import Account
from tests import cast
from tests.test_guards import (
    EVENT,
    OF_A_ROW,
    TEXT,
    execute,
    insert,
    refused_by,
    session,  # noqa: F401, a fixture
)

pytestmark = pytest.mark.django_db

LATER = "now() + interval '1 minute'"
TOLD = f", event_sequence = 2, last_recorded_at = {LATER}"
# What is changed, and the event that would tell it.
CHANGES = {
    "name = 'other'": ("account.changed", '{"name": "other", "metadata": {}}'),
    'metadata = \'{"a": "b"}\'': ("account.changed", '{"name": "main", "metadata": {"a": "b"}}'),
    "status = 'FROZEN'": ("account.frozen", '{"status": "FROZEN", "status_reason": ""}'),
    "status_reason = 'x'": ("account.frozen", '{"status": "ACTIVE", "status_reason": "x"}'),
    "withdraw_max = 1": ("account.limits_changed", '{"credit_limit": "0", "withdraw_max": "1"}'),
    "withdraw_day_max = 1": ("account.limits_changed", '{"credit_limit": "0", "withdraw_day_max": "1"}'),
    "credit_limit = 2, credit_limit_max = 2": ("account.limits_changed", '{"credit_limit": "2"}'),
}
ALONE = [
    "credit_limit_max = 1",
    "event_sequence = event_sequence + 1",
    f"last_recorded_at = {LATER}",
    "last_recorded_at = last_recorded_at - interval '1 hour'",
]
# What follows from transactions.
OF_POSTINGS = [
    "withdrawn_on = '2026-01-01'",
    "withdrawn = 1, withdrawn_on = '2026-01-01'",
    "last_effective_at = created_at",
    "chain_head = sha256('')",
]


USER = {
    "id": "'00000000-0000-4000-8000-000000000001'", "username": "'one'", "password": "''", "name": "''",
    "email": "''", "is_superuser": "false", "is_staff": "false", "is_active": "true", "metadata": "'{}'",
    "event_sequence": "0", "external_id": "NULL",
}  # fmt: skip
NAMED = {"id": "gen_random_uuid()", "external_id": "'same'"}
FACTOR = {
    "user_id": "(SELECT min(id::text)::uuid FROM accounts_user)", "name": "''", "confirmed": "true",
    "throttling_failure_count": "0", "secret": "''", "drift": "0", "last_t": "-1",
}  # fmt: skip
NEW = ["gen_random_uuid()"] * 2
OTHERS = [
    ("user_metadata_has_texts", "UPDATE accounts_user SET metadata = '[]'"),
    ("user_metadata_has_texts", "UPDATE accounts_user SET metadata = '{\"a\": 1}'"),
    *(
        ("user_who_is_a_holder_is_no_staff", insert("accounts_user", USER | {"username": USER["id"], **more}))
        for more in ({"is_staff": "true"}, {"is_superuser": "true"})
    ),
    ("accounts_user_pkey", insert("accounts_user", USER, USER | {"username": "'other'"})),
    ("accounts_user_username_key", insert("accounts_user", *(USER | {"id": new} for new in NEW))),
    (
        "accounts_user_external_id_key",
        insert("accounts_user", *(USER | NAMED | {"username": f"'{name}'"} for name in "ab")),
    ),
    ("accounts_secondfactor_pkey", insert("accounts_secondfactor", *[FACTOR | {"id": "1"}] * 2)),
    (
        "accounts_secondfactor_throttling_failure_count_check",
        insert("accounts_secondfactor", FACTOR | {"throttling_failure_count": "-1"}),
    ),
    ("event_seals_its_text", insert("events_event", EVENT | {"text": "gen_random_uuid()"})),
    ("event_seals_its_text", insert("events_event", EVENT | {"text_mac": "'x'"})),
    ("events_text_pkey", insert("events_text", *[TEXT] * 2)),
]
REFUSALS = [
    ("text_is_only_erased", "UPDATE events_text SET content = '{}'"),
    ("text_is_only_erased", "UPDATE events_text SET content = NULL, owner = gen_random_uuid()"),
    ("text_is_only_erased", "UPDATE events_text SET content = NULL, id = gen_random_uuid()"),
    ("texts_are_erased_with_a_person", "UPDATE events_text SET content = NULL"),
    ("text_is_never_deleted", "DELETE FROM events_text"),
    ("texts_are_never_emptied", "TRUNCATE events_text"),
    ("user_keeps_its_identity", "UPDATE accounts_user SET id = gen_random_uuid()"),
    ("user_keeps_its_identity", "UPDATE accounts_user SET username = username || '!'"),
    ("user_keeps_its_identity", "UPDATE accounts_user SET external_id = 'another'"),
    ("user_keeps_its_identity", "UPDATE accounts_user SET created_at = now() - interval '1 day'"),
    ("user_keeps_its_identity", "UPDATE accounts_user SET created_as = '{}'"),
    ("user_is_never_deleted", "DELETE FROM accounts_user"),
    ("users_are_never_emptied", "TRUNCATE accounts_user CASCADE"),
]


def change(row, changes, type="", data="{}"):
    """The account or the user alone, or with its second event."""
    update = f"UPDATE public.{row._meta.db_table} SET {changes} WHERE id = '{row.id}'"
    if not type:
        return update
    event = {"stream": f"'{row.id}'", "sequence": "2", "recorded_at": LATER}
    written = insert("events_event", EVENT | event | {"type": f"'{type}'", "data": f"'{data}'"})
    return f"WITH told AS ({written}) {update}"


def refused(account):
    return refused_by(f"what account {account.id} is changes only with the event that tells it")


@pytest.mark.parametrize("changes", [*CHANGES, *ALONE])
def test_a_change_that_nothing_tells_is_refused(account, changes):
    with refused(account):
        execute(change(account, changes))
    with refused(account):
        execute(change(account, changes, "hold.placed"))


@pytest.mark.parametrize("changes", OF_POSTINGS)
def test_what_follows_from_transactions_does_not_change_without_one(account, changes):
    with refused(account):
        execute(change(account, changes))
    with refused(account):
        execute(change(account, changes + TOLD, "hold.placed"))


@pytest.mark.parametrize("changes", CHANGES)
def test_a_change_that_is_told_otherwise_is_refused(account, changes):
    type, data = CHANGES[changes]
    others = [other for of_type, other in CHANGES.values() if of_type == type and other != data]
    for attack in [("hold.placed", data), *((type, other) for other in ("{}", *others))]:
        with refused(account):
            execute(change(account, changes + TOLD, *attack))


@pytest.mark.parametrize("changes", CHANGES)
def test_a_change_that_is_told_is_not_counted_before_its_event_or_at_another_time(account, changes):
    type, data = CHANGES[changes]
    for counted in ("", ", event_sequence = 2", f", event_sequence = 3, last_recorded_at = {LATER}"):
        with refused(account):
            execute(change(account, changes + counted, type, data))


@pytest.mark.parametrize("changes", CHANGES)
def test_a_change_with_the_event_that_tells_it_passes(account, changes):
    execute(change(account, changes + TOLD, *CHANGES[changes]))
    assert Account.objects.get(id=account.id).event_sequence == 2


def test_an_event_of_another_kind_alone_is_counted_with_its_time(account):
    execute(change(account, TOLD.removeprefix(", "), "hold.placed"))
    with refused(account):
        execute(change(account, "last_recorded_at = last_recorded_at - interval '1 second'"))


def test_a_change_whose_personal_text_stands_apart_passes(account):
    content = '{"data/name": "other", "data/metadata": {"a": "b"}}'
    text = insert("events_text", TEXT | {"content": f"'{content}'"})
    event = {
        "stream": f"'{account.id}'",
        "sequence": "2",
        "recorded_at": LATER,
        "type": "'account.changed'",
        "data": '\'{"name": null, "metadata": null}\'',
        "text": TEXT["id"],
        "text_mac": "'x'",
    }
    told = insert("events_event", EVENT | event)
    for changes in ("name = 'other'", "name = 'another', metadata = '{\"a\": \"b\"}'"):
        with refused(account):
            execute(f"WITH text AS ({text}), told AS ({told}) {change(account, changes + TOLD)}")
    changes = "name = 'other', metadata = '{\"a\": \"b\"}'" + TOLD
    execute(f"WITH text AS ({text}), told AS ({told}) {change(account, changes)}")


# What is changed of a user with one event, and what the second one would tell.
OF_USERS = {
    "name = 'other'": '{"name": "other", "metadata": {}}',
    'metadata = \'{"a": "b"}\'': '{"name": "Petya", "metadata": {"a": "b"}}',
}


def refused_of(user):
    return refused_by(f"who user {user.id} is changes only with the event that tells it")


@pytest.fixture
def user():
    return cast.UserFactory(name="Petya")


@pytest.mark.parametrize("changes", [*OF_USERS, *ALONE[1:]])
def test_a_change_of_a_user_that_nothing_tells_is_refused(user, changes):
    with refused_of(user):
        execute(change(user, changes))
    with refused_of(user):
        execute(change(user, changes, "user.changed"))


@pytest.mark.parametrize("changes", OF_USERS)
def test_a_change_of_a_user_that_is_told_otherwise_is_refused(user, changes):
    [other] = OF_USERS.keys() - {changes}
    for attack in [("user.created", OF_USERS[changes]), ("user.changed", OF_USERS[other])]:
        with refused_of(user):
            execute(change(user, changes + TOLD, *attack))
    for counted in ("", ", event_sequence = 2", f", event_sequence = 3, last_recorded_at = {LATER}"):
        with refused_of(user):
            execute(change(user, changes + counted, "user.changed", OF_USERS[changes]))


@pytest.mark.parametrize("changes", OF_USERS)
def test_a_change_of_a_user_with_the_event_that_tells_it_passes(user, changes):
    execute(change(user, changes + TOLD, "user.changed", OF_USERS[changes]))


def test_what_only_staff_have_changes_without_an_event(user):
    execute(f"UPDATE accounts_user SET last_login = now(), is_active = false WHERE id = '{user.id}'")


@pytest.mark.parametrize(("rule", "attack"), [*OTHERS, *REFUSALS])
def test_users_stay_and_texts_are_only_erased(user, rule, attack):
    cast.UserFactory()
    with refused_by(rule):
        execute(attack)


UNCOUNTED = "an event was written without the account or the user that counts it"


@pytest.mark.parametrize("sequences", [[2], [3], [2, 3]])
@pytest.mark.parametrize("whose", ["account", "user", "nobody"])
@pytest.mark.parametrize("event", [EVENT, OF_A_ROW], ids=["with data", "about a row"])
def test_an_event_that_nobody_counts_is_refused(account, event, whose, sequences):
    stream = {"account": account.id, "user": account.user_id, "nobody": cast.new_id()}[whose]
    rows = [event | {"stream": f"'{stream}'", "sequence": str(number)} for number in sequences]
    with refused_by(UNCOUNTED):
        execute(insert("events_event", *rows))


@pytest.mark.parametrize(("sequences", "counted"), [([2, 4], 4), ([2, 3], 2), ([2, 3], 4)])
def test_events_are_counted_up_to_the_last_and_without_gaps(account, sequences, counted):
    event = EVENT | {"stream": f"'{account.id}'", "recorded_at": LATER}
    rows = [event | {"sequence": str(number)} for number in sequences]
    update = change(account, f"event_sequence = {counted}, last_recorded_at = {LATER}")
    with refused_by(UNCOUNTED) if counted in sequences else refused(account):
        execute(f"WITH told AS ({insert('events_event', *rows)}) {update}")


def test_the_highest_credit_limit_is_not_moved_beside_the_limit(account):
    changes = "credit_limit = 2, credit_limit_max = 3" + TOLD
    with refused(account):
        execute(change(account, changes, "account.limits_changed", '{"credit_limit": "2"}'))
