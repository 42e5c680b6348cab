"""What the database refuses of erasures, and of what they take away, to whoever writes."""

import pytest

from tests.accounts.erasing import forget
from tests.cast import UserFactory
from tests.office.staff import make_staff
from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture
from tests.test_rule_guards import LATER, change, refused_of

pytestmark = pytest.mark.django_db

ERASURE = {
    "id": "'00000000-0000-4000-8000-000000000001'", "reason": "'x'", "asked_at": "now()",
    "status": "'WAITING'",
}  # fmt: skip
DONE = "status = 'DONE', decided_at = now(), checker_id = {checker}"
KEPT = ", external_id_hash = 'x', hash_until = {until}"
OVER = "now() - interval '1 day'"
INSERTS = [
    ("erasure_has_a_reason", {"reason": "''"}),
    ("erasure_is_waiting_or_decided", {"decided_at": "now()"}),
    ("erasure_is_waiting_or_decided", {"checker_id": "checker"}),
    ("erasure_keeps_a_hash_for_a_time", {"external_id_hash": "'x'", "hash_until": "now()"}),
    ("erasure_starts_waiting", {"status": "'DONE'", "decided_at": "now()", "checker_id": "checker"}),
    ("erasure_starts_waiting", {"status": "'REJECTED'", "decided_at": "now()", "checker_id": "checker"}),
    ("accounts_erasure_pkey", {"user_id": "other"}),
    ("erasure_of_a_user_is_one", {"id": "gen_random_uuid()"}),
]
CHANGES = [
    ("erasure_is_waiting_or_decided", "status = 'DONE', decided_at = now()"),
    ("erasure_is_waiting_or_decided", "status = 'GONE', decided_at = now(), checker_id = {checker}"),
    ("erasure_is_approved_by_somebody_else", "status = 'DONE', decided_at = now(), checker_id = maker_id"),
    ("erasure_keeps_a_hash_for_a_time", DONE + ", external_id_hash = 'x'"),
]
REFUSALS = [
    ("erasure_is_never_deleted", "DELETE FROM accounts_erasure"),
    ("erasures_are_never_emptied", "TRUNCATE accounts_erasure"),
]
ERASED = '{"name": "[erased]", "metadata": {}}'
ERASE = "name = '[erased]', metadata = '{}', external_id = NULL, created_as = NULL"
TOLD = f", event_sequence = 2, last_recorded_at = {LATER}, erased_at = {LATER}"


@pytest.fixture
def user():
    return UserFactory(name="Petya", external_id="crm-1")


@pytest.fixture
def names(user):
    """As SQL writes their ids."""
    maker, checker = make_staff("operations"), make_staff("operations")
    ids = {"user": user, "other": UserFactory(), "maker": maker, "checker": checker}
    return {name: f"'{each.id}'" for name, each in ids.items()}


def ask(names, **changes):
    row = ERASURE | {"user_id": names["user"], "maker_id": names["maker"]} | changes
    execute(insert("accounts_erasure", {name: names.get(value, value) for name, value in row.items()}))


def update(names, changes):
    execute(f"UPDATE accounts_erasure SET {changes.format(**names)}")


@pytest.mark.parametrize(("rule", "changes"), INSERTS)
def test_an_erasure_that_cannot_be_is_refused(names, rule, changes):
    if rule in ("accounts_erasure_pkey", "erasure_of_a_user_is_one"):
        ask(names)
    with refused_by(rule):
        ask(names, **changes)


@pytest.mark.parametrize(("rule", "changes"), CHANGES)
def test_one_that_waits_is_not_decided_in_a_way_that_cannot_be(names, rule, changes):
    ask(names)
    with refused_by(rule):
        update(names, changes)


@pytest.mark.parametrize(
    "changes",
    [
        *("id = gen_random_uuid()", "user_id = {other}", "maker_id = {checker}"),
        *("asked_at = '2020-01-01'", "reason = 'y'", "reason = '[erased]'"),
        "status = 'DONE', decided_at = now() - interval '1 second', checker_id = {checker}",
    ],
)
def test_what_was_asked_stays(names, changes):
    ask(names)
    with refused_by("is decided once"):
        update(names, changes)


@pytest.mark.parametrize(
    "changes",
    [
        *("status = 'REJECTED', external_id_hash = NULL, hash_until = NULL", "checker_id = {other}"),
        *("decided_at = decided_at - interval '1 day'", "reason = 'y'"),
        *("external_id_hash = 'y'", "hash_until = hash_until - interval '9 days'"),
        "external_id_hash = NULL, hash_until = NULL",
    ],
)
def test_a_decision_is_final_and_the_hash_stays_for_its_time(names, changes):
    ask(names)
    update(names, DONE + KEPT.format(until=LATER))
    with refused_by("is decided once"):
        update(names, changes)


def test_the_hash_goes_when_its_time_is_over(names):
    ask(names)
    update(names, DONE + KEPT.format(until=OVER))
    update(names, "external_id_hash = NULL, hash_until = NULL")
    with refused_by("is decided once"):
        update(names, KEPT.format(until=LATER).removeprefix(", "))


def test_a_reason_is_erased_with_a_person(names):
    ask(names)
    update(names, DONE)
    update(names, "reason = '[erased]'")


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_erasures_stay(names, rule, attack):
    ask(names)
    with refused_by(rule):
        execute(attack)


def test_a_user_is_erased_as_it_is_told_and_as_two_have_decided(user, names):
    with refused_of(user):
        execute(change(user, ERASE + TOLD, "user.erased", ERASED))
    ask(names)
    with refused_of(user):
        execute(change(user, ERASE + TOLD, "user.erased", ERASED))
    update(names, DONE)
    for type, changes in [
        ("user.changed", ERASE + TOLD),
        ("user.erased", f"name = 'other', metadata = '{{}}'{TOLD}"),
        ("user.erased", ERASE + TOLD.replace(f"erased_at = {LATER}", f"erased_at = {OVER}")),
    ]:
        with refused_of(user):
            execute(change(user, changes, type, ERASED))
    with refused_by("user_keeps_its_identity"):
        execute(change(user, ERASE + TOLD.replace(f", erased_at = {LATER}", ""), "user.erased", ERASED))
    execute(change(user, ERASE + TOLD, "user.erased", ERASED))


def test_who_is_erased_keeps_nothing_of_their_identity(user, names):
    ask(names)
    update(names, DONE)
    for kept in ("external_id", "created_as"):
        with refused_by("user_keeps_its_identity"):
            value = "'another'" if kept == "external_id" else "'{}'"
            execute(change(user, ERASE.replace(f"{kept} = NULL", f"{kept} = {value}") + TOLD, "user.erased"))


def test_who_was_erased_stays_so(user):
    forget(user)
    for changes in ("erased_at = NULL", "name = 'Petya'", "last_recorded_at = now() + interval '1 hour'"):
        with refused_of(user):
            execute(f"UPDATE accounts_user SET {changes} WHERE id = '{user.id}'")


def test_a_text_is_erased_with_a_person_alone(user, names):
    ask(names)
    with refused_by("texts_are_erased_with_a_person"):
        execute(f"UPDATE events_text SET content = NULL WHERE owner = '{user.id}'")
    update(names, DONE)
    execute(f"UPDATE events_text SET content = NULL WHERE owner = '{user.id}'")
