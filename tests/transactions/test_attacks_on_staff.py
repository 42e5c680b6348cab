"""Letting people into the office past the record: what only `createsuperuser` and `accounts.staff` may do."""

import json

import pytest

from accounts.models import User
from tests.office.staff import make_staff
from tests.tampering.hands import Hands
from tests.tampering.outcomes import Outcome
from tests.transactions import test_attacks as attacks
from tests.transactions.test_attacks import (
    ENTRIES,
    FOUND,
    HEADS,
    REFUSED,
    USERS,
    look_at,
    update,
)

pytestmark = pytest.mark.django_db
attack = attacks.attack


@pytest.mark.parametrize(("who", "outcome"), [(Hands.SERVICE, REFUSED), (Hands.SUPERUSER, FOUND)])
def test_a_superuser_of_the_office_is_made_in_sql(attack, who, outcome):
    columns = (
        "id, username, password, name, email, metadata, is_staff, is_superuser, is_active, event_sequence"
    )
    values = "gen_random_uuid(), 'root', '', '', '', '{}', true, true, true, 0"
    statement = f"INSERT INTO {USERS} AS r ({columns}) VALUES ({values}) RETURNING to_jsonb(r)"
    assert attack(who, USERS, statement) is outcome


@pytest.mark.parametrize(("who", "outcome"), [(Hands.SERVICE, REFUSED), (Hands.SUPERUSER, FOUND)])
@pytest.mark.parametrize("changes", ["is_superuser = true", "is_active = true, is_staff = true"])
def test_somebody_is_let_into_the_office_in_sql(attack, changes, who, outcome):
    service = User.objects.create_user("shop")
    assert attack(who, USERS, update(USERS, service.pk, changes)) is outcome


def test_the_service_puts_a_member_of_staff_into_another_group(attack):
    member = make_staff("support")
    statement = (
        "INSERT INTO accounts_user_groups AS r (user_id, group_id)"
        f" SELECT '{member.pk}', id FROM auth_group WHERE name = 'operations' RETURNING to_jsonb(r)"
    )
    assert attack(Hands.SERVICE, "accounts_user_groups", statement) is FOUND


@pytest.mark.parametrize(
    "changes", ["is_staff = true", "is_staff = true, is_superuser = true", "username = 'boss'"]
)
def test_the_service_makes_a_user_of_the_api_a_member_of_staff(petya, attack, changes):
    assert attack(Hands.SERVICE, USERS, update(USERS, petya.id, changes)) is REFUSED


@pytest.mark.parametrize("changes", ["username = 'boss'", "username = 'boss', is_staff = true"])
def test_a_superuser_makes_a_user_of_the_api_a_member_of_staff(petya, attack, changes):
    """Who has another name first: of a holder the database computes that they are one."""
    assert attack(Hands.SUPERUSER, USERS, update(USERS, petya.id, changes)) is FOUND


@pytest.mark.parametrize("changes", ["is_superuser = NOT is_superuser", "is_staff = false"])
def test_the_service_changes_who_is_staff(attack, changes):
    for member in (make_staff("support"), make_staff(superuser=True)):
        assert attack(Hands.SERVICE, USERS, update(USERS, member.pk, changes)) is REFUSED


def let_in(user, actor, changes, after):
    """SQL: with an entry as the service may write it, but for its hash, whose key it does not have."""
    return f"""
        WITH forged AS (
            INSERT INTO {ENTRIES} (stream, number, recorded_at, actor, actor_kind, request_id, type, action,
                subject, subject_id, data, chain_hash)
            SELECT stream, number + 1, clock_timestamp(), stream, 'staff', '', 'staff.created', 'CHANGE',
                'staff', '{user.pk}', '{json.dumps({"after": after})}', sha256('')
            FROM {HEADS} WHERE stream = '{actor.pk}' RETURNING stream, number, recorded_at, chain_hash
        ), head AS (
            UPDATE {HEADS} AS head SET number = forged.number, recorded_at = forged.recorded_at,
                chain_hash = forged.chain_hash
            FROM forged WHERE head.stream = forged.stream
        )
        {update(USERS, user.pk, changes)}"""


def test_the_service_lets_somebody_into_the_office_with_a_forged_entry_of_the_record(account, attack):
    """The database cannot know the hash; the audit can, and names the entry."""
    shop, actor = User.objects.create_user("shop"), look_at(account)
    statement = let_in(shop, actor, "is_staff = true", {"is_staff": True})
    assert attack(Hands.SERVICE, USERS, statement) is Outcome.UNNAMED


def test_the_service_makes_a_superuser_with_a_forged_entry_of_the_record(account, attack):
    shop, actor = User.objects.create_user("shop"), look_at(account)
    after = {"is_staff": True, "is_superuser": True}
    statement = let_in(shop, actor, "is_staff = true, is_superuser = true", after)
    assert attack(Hands.SERVICE, USERS, statement) is REFUSED
