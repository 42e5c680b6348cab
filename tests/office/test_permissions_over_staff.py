"""Nobody gives or takes over permissions that they do not have."""

import threading

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from accounts import staff
from accounts.models import SecondFactor, Staff, User
from ledger.callers import ActorKind, Caller
from tests.office.answers import find_accesses, find_secret, read
from tests.office.staff import make_staff, open_office
from tests.office.test_staff_pages import ASKED, COMMANDS, STAFF, do


def give(user, *permissions):
    found = Permission.objects.filter(codename__in=permissions)
    assert len(found) == len(permissions)
    user.user_permissions.add(*found)


def test_who_is_no_superuser_changes_neither_one_nor_themselves_nor_who_may_do_more(boss):
    clerk = make_staff("support", username="clerk")
    give(clerk, "view_staff", "add_staff", "change_staff")
    client = open_office(clerk)
    for other, groups in ((boss, []), (clerk, ["support"]), (make_staff("operations"), ["support"])):
        open_office(other)
        assert f"{other.pk}/deactivate/" not in read(client.get(f"{STAFF}{other.pk}/change/"))
        before = Staff.objects.values().get(pk=other.pk)
        had = {*other.groups.all()}
        for command in COMMANDS:
            read(do(client, other, command, groups=groups), 422)
        assert Staff.objects.values().get(pk=other.pk) == before
        assert {*other.groups.all()} == had
        assert SecondFactor.objects.filter(user=other).count() == 1
    read(client.post(f"{STAFF}create/", {**ASKED, "groups": ["operations"]}), 422)
    assert find_accesses(action="CHANGE") == []
    find_secret(client.post(f"{STAFF}create/", ASKED))
    anna = User.objects.get(username="anna")
    read(do(client, anna, "groups", groups=["auditor"]), 422)
    assert do(client, anna, "deactivate").status_code == 302
    anna.refresh_from_db()
    assert not anna.is_active


def test_who_only_looks_at_staff_is_offered_nothing(boss):
    clerk = make_staff(username="clerk")
    give(clerk, "view_staff")
    client = open_office(clerk)
    assert "create/" not in read(client.get(STAFF))
    text = read(client.get(f"{STAFF}{boss.pk}/change/"))
    assert "deactivate" not in text
    assert "/admin/events/recordentry/" not in text
    assert do(client, boss, "deactivate").status_code == 403


def test_a_superuser_does_not_change_themselves(superuser, boss):
    for command in COMMANDS:
        assert "another administrator" in read(do(superuser, boss, command), 422)
    boss.refresh_from_db()
    assert boss.is_active


def test_the_last_superuser_stays(boss):
    gone = make_staff(superuser=True, username="gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)  # while a request of theirs was under way
    with pytest.raises(staff.LastSuperuser):
        staff.deactivate(id=boss.pk, caller=Caller(gone.pk, ActorKind.STAFF))
    boss.refresh_from_db()
    assert boss.is_active


@pytest.mark.django_db(transaction=True)
def test_of_two_superusers_who_deactivate_each_other_one_stays():
    one, other = (make_staff(superuser=True) for _ in range(2))
    begin = threading.Barrier(2)

    def act(actor, obj):
        try:
            begin.wait()
            staff.deactivate(id=obj.pk, caller=Caller(actor.pk, ActorKind.STAFF))
        except staff.LastSuperuser:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
