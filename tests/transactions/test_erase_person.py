"""Breaking the glass, and the list of what goes and what stays."""

import pytest
from django.core.management.base import CommandError

from accounts.models import User
from events.models import RecordEntry
from events.texts import ERASED
from tests import asking
from tests.cast import AccountFactory, UserFactory, deposit, hold, new_id
from tests.office.staff import make_staff
from tests.transactions.conftest import run_command
from tests.transactions.correcting import adjust

pytestmark = pytest.mark.django_db(transaction=True)

NAME, HANDLE, MAIL = "Ivan Konstantinov", "crm-4711-x", "ivan@konstantinov.example"


@pytest.fixture
def ivan():
    return UserFactory(name=NAME, external_id=HANDLE, metadata={"mail": MAIL, "tier": "gold"})


def erase(user, *arguments):
    return run_command("erase_person", str(user.id), *arguments)


def approved_by(*members):
    return [part for each in members for part in ("--approved-by", each.username)]


def test_two_people_are_named_in_the_record(ivan):
    first, second = make_staff("operations"), make_staff("operations")
    status, _ = erase(ivan, *approved_by(first, second), "--reason", "a letter of 3 May")
    assert status == 0
    assert User.objects.get(pk=ivan.pk).name == ERASED
    entry = RecordEntry.objects.get(type="erasure.forced")
    assert (entry.actor, entry.actor_kind) == (None, "command")
    told = entry.data["after"]
    assert (told["asked_by"], told["decided_by"]) == (str(first.pk), str(second.pk))


def test_without_two_people_and_a_reason_nothing_happens(ivan):
    first, second, support = make_staff("operations"), make_staff("operations"), make_staff("support")
    gone = make_staff("operations")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    why = ["--reason", "a letter"]
    for arguments in (
        [*approved_by(first), *why],
        [*approved_by(first, second, gone), *why],
        approved_by(first, second),
        [*approved_by(first, first), *why],
        [*approved_by(first, support), *why],
        [*approved_by(first, gone), *why],
        ["--approved-by", first.username, "--approved-by", "nobody", *why],
    ):
        with pytest.raises(CommandError):
            erase(ivan, *arguments)
    assert User.objects.get(pk=ivan.pk).name == NAME
    assert not RecordEntry.objects.filter(subject="erasure").exists()
    with pytest.raises(CommandError, match="There is no such user"):
        run_command("erase_person", str(new_id()), *approved_by(first, second), *why)


@pytest.mark.parametrize("option", ["--list", "--dry-run"])
def test_what_stays_is_listed(ivan, option):
    account = ivan.accounts.with_held_due().get()
    theirs = AccountFactory(name="Somebody Else")
    rows = [
        deposit(account, "100", reference=f"of {NAME.upper()}"),
        deposit(theirs, "5", metadata={"from": MAIL}),
        hold(account, "1", reference=HANDLE),
        adjust(account, make_staff("operations"), "99999"),
    ]
    asking.freeze(id=theirs.id, reason=f"see {NAME}", request_id="")
    others = [deposit(theirs, "5", reference="golden"), deposit(account, "6", reference="Ivan")]
    status, said = erase(ivan, option)
    assert status == 0
    for row in rows[:3]:
        assert str(row.id) in said
    assert f"accounts_account {theirs.id}" in said
    for row in (*others, rows[3]):
        assert str(row.id) not in said
    assert User.objects.get(pk=ivan.pk).name == NAME
    assert not RecordEntry.objects.filter(subject="erasure").exists()
