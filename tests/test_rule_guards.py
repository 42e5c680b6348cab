"""What an account is changes only in a statement that writes the event that tells it, by plain SQL too."""

import pytest

from accounts.models import Account
from tests import cast
from tests.test_guards import (
    EVENT,
    OF_A_ROW,
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


def change(account, changes, type="", data="{}"):
    """The account alone, or with its second event."""
    update = f"UPDATE public.accounts_account SET {changes} WHERE id = '{account.id}'"
    if not type:
        return update
    event = {"stream": f"'{account.id}'", "sequence": "2", "recorded_at": LATER}
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
def test_events_are_counted_up_to_the_last_and_without_gaps(petya, sequences, counted):
    event = EVENT | {"stream": f"'{petya.id}'", "type": "'user.changed'"}
    rows = [event | {"sequence": str(number)} for number in sequences]
    update = f"UPDATE accounts_user SET event_sequence = {counted} WHERE id = '{petya.id}'"
    with refused_by(UNCOUNTED):
        execute(f"WITH told AS ({insert('events_event', *rows)}) {update}")


def test_the_highest_credit_limit_is_not_moved_beside_the_limit(account):
    changes = "credit_limit = 2, credit_limit_max = 3" + TOLD
    with refused(account):
        execute(change(account, changes, "account.limits_changed", '{"credit_limit": "2"}'))
