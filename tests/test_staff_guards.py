"""Who is staff, and who a superuser, changes in the database with what tells it, and not for everybody."""

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError
from django.db.transaction import atomic

from accounts import staff
from accounts.models import User
from events import record
from ledger.callers import ActorKind, Caller
from tests.cast import new_id
from tests.conftest import make_client
from tests.database import execute
from tests.events.test_upkeep import run
from tests.office.answers import find_secret
from tests.office.staff import PASSWORD, dismiss, make_staff, open_office, set_staff
from tests.tampering import hands
from tests.transactions.test_audit import prove

pytestmark = pytest.mark.django_db
UNTOLD = "changes only with the entry of the record"
OWNERS_ALONE = "only the owner of the database"


class AsService:
    """What is done in it is done as the service's role, in the transaction of the test."""

    def __enter__(self):
        hands.prepare()
        execute(f"SET LOCAL SESSION AUTHORIZATION {hands.ROLES.names['app']}")

    def __exit__(self, *error):
        if error == (None, None, None):
            execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")


def refused(words):
    return pytest.raises(DatabaseError, match=words)


def write_entry(user, actor, **after):
    kind = ActorKind.STAFF if actor else ActorKind.COMMAND
    with atomic():
        record.write(
            Caller(actor and actor.pk, kind),
            type="staff.created",
            subject="staff",
            subject_id=user.pk,
            after=after,
        )


def change(user, **changes):
    with atomic():
        User.objects.filter(pk=user.pk).update(**changes)


@pytest.fixture
def shop():
    return User.objects.create_user("shop")


@pytest.fixture
def boss():
    return make_staff(superuser=True, username="boss", password=PASSWORD)


# What the service does


def test_as_the_service_a_holder_is_made_and_changed():
    client = make_client("api-post")
    with AsService():
        made = client.post("/api/v1/users", {"id": str(new_id()), "name": "Petya"})
        assert made.status_code == 201
        assert client.patch(f"/api/v1/users/{made.json()['id']}", {"name": "P."}).status_code == 200


def test_as_the_service_a_password_is_changed(boss, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    boss.set_password(PASSWORD)
    boss.save()
    office = open_office(boss)
    asked = {
        "old_password": PASSWORD,
        "new_password1": "another of staff",
        "new_password2": "another of staff",
    }
    with AsService():
        assert office.post("/admin/password_change/", asked).status_code == 302
    boss.refresh_from_db()
    assert boss.check_password("another of staff")


def test_as_the_service_a_new_colleague_is_let_into_the_office_by_a_superuser(boss, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    office = open_office(boss)
    asked = {"username": "anna", "name": "Anna", "groups": ["support"], "reason": "new colleague"}
    with AsService():
        assert find_secret(office.post("/admin/accounts/staff/create/", asked))
        anna = User.objects.get(username="anna")
        for command in ("deactivate", "activate", "password"):
            answer = office.post(f"/admin/accounts/staff/{anna.pk}/{command}/", {"reason": "because"})
            assert answer.status_code in (200, 302)
    anna.refresh_from_db()
    assert (anna.is_staff, anna.is_superuser, anna.is_active) == (True, False, True)
    assert prove().findings == []


# What it does not


@pytest.mark.parametrize("changes", [{"is_superuser": True}, {"is_superuser": True, "is_staff": True}])
def test_the_service_makes_no_superuser_whatever_is_told(shop, boss, changes):
    write_entry(shop, boss, is_staff=changes.get("is_staff", False), is_superuser=True)
    with AsService(), refused(OWNERS_ALONE):
        change(shop, **changes)


def test_the_service_ends_no_superuser(boss):
    write_entry(boss, make_staff(), is_staff=True, is_superuser=False)
    with AsService(), refused(OWNERS_ALONE):
        change(boss, is_superuser=False)


def test_the_service_inserts_no_superuser(boss):
    user = User(username="root", is_superuser=True)
    write_entry(user, boss, is_staff=False, is_superuser=True)
    with AsService(), refused(OWNERS_ALONE), atomic():
        user.save()


def test_nobody_becomes_staff_without_the_entry(shop, boss):
    with refused(UNTOLD):
        change(shop, is_staff=True)
    with AsService(), refused(UNTOLD):
        change(shop, is_staff=True)


def test_nobody_is_staff_no_more_without_the_entry():
    member = make_staff("support")
    with refused(UNTOLD):
        change(member, is_staff=False)
    assert dismiss(member).is_staff is False


def test_nobody_comes_as_staff_without_the_entry():
    for is_superuser in (False, True):
        with refused(UNTOLD), atomic():
            User.objects.create_user("eve", is_staff=True, is_superuser=is_superuser)
    with refused(UNTOLD), atomic():
        User.objects.create_user("eve", is_superuser=True)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"is_staff": False},
        {"is_staff": True, "is_superuser": True},
        {"is_active": True, "groups": ["support"]},
    ],
)
def test_an_entry_that_tells_something_else_is_none(shop, boss, told):
    write_entry(shop, boss, **told)
    with refused(UNTOLD):
        change(shop, is_staff=True)


def test_an_entry_about_somebody_else_is_none(shop, boss):
    write_entry(User.objects.create_user("other"), boss, is_staff=True)
    with refused(UNTOLD):
        change(shop, is_staff=True)


def test_an_entry_without_an_actor_is_an_operators_and_the_owners_alone(shop):
    write_entry(shop, None, is_staff=True)
    with AsService():
        with refused(UNTOLD):
            change(shop, is_staff=True)
        execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
    change(shop, is_staff=True)


def test_an_entry_of_somebody_is_enough_for_the_service(shop, boss):
    write_entry(shop, boss, is_staff=True)
    with AsService():
        change(shop, is_staff=True)


@pytest.mark.django_db(transaction=True)
def test_an_entry_of_an_earlier_transaction_is_none():
    member = make_staff("support")
    dismiss(member)
    with refused(UNTOLD):
        change(member, is_staff=True)
    set_staff(member, "staff.created")
    with refused(UNTOLD):
        change(member, is_staff=False)


def test_a_holder_never_becomes_staff_though_it_is_told(petya):
    with pytest.raises(DatabaseError, match="user_who_is_a_holder_is_no_staff"):
        set_staff(petya, "staff.created")


def test_operators_make_superusers_by_command(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a password of a superuser")
    run("createsuperuser", "--noinput", "--username=root")
    root = User.objects.get(username="root")
    assert (root.is_staff, root.is_superuser) == (True, True)
    assert prove().findings == []


def test_a_permission_of_a_member_of_staff_alone_is_nobodys_to_give():
    """Permissions are of groups: the service may not write others, and the groups of staff are proven."""
    member = make_staff("support")
    with AsService(), refused("permission denied"), atomic():
        member.user_permissions.add(Permission.objects.get(codename="add_staff"))


def test_the_domain_lets_in_by_its_own_order_only(boss):
    member, _ = staff.create(username="anna", name="Anna", groups=[], caller=Caller(boss.pk, ActorKind.STAFF))
    assert User.objects.get(pk=member.pk).is_staff
