"""Forgetting a person: what goes, what stays, and who may do it."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.db.transaction import atomic

from accounts import erasing, errors
from accounts.models import Erasure, Token, User
from events import feed
from events.models import Event, RecordEntry, Text
from events.texts import ERASED
from tests import asking
from tests.accounts.erasing import REASON, call, forget
from tests.cast import CALLER, UserFactory, deposit, hold, issue_token
from tests.conftest import make_client
from tests.office.staff import make_staff
from transactions.posting.commands import SetMetadata

pytestmark = pytest.mark.django_db

NAME, HANDLE, MAIL = "Ivan Konstantinov", "crm-4711-x", "ivan@konstantinov.example"


@pytest.fixture
def ivan():
    return UserFactory(name=NAME, external_id=HANDLE, metadata={"mail": MAIL, "tier": "gold"})


@pytest.fixture
def his(ivan):
    account = ivan.accounts.with_held_due().get()
    deposit(account, "100")
    asking.ask(SetMetadata(account_id=account.id, metadata={"contact": MAIL}))
    return account


@pytest.fixture
def admin():
    return make_client("api-admin")


def read_feed():
    return feed.read(limit=500).events


def test_the_person_is_gone_and_the_account_stays(ivan, his, admin):
    admin.post(f"/api/v1/accounts/{his.id}/freeze", {"reason": f"{NAME} has lost the card"})
    maker, checker = make_staff("operations"), make_staff("operations")
    done = forget(ivan, maker=maker, checker=checker)
    assert (done.status, done.maker_id, done.checker_id) == ("DONE", maker.pk, checker.pk)
    shown = admin.get(f"/api/v1/users/{ivan.id}").json()
    assert (shown["name"], shown["external_id"], shown["metadata"]) == (ERASED, None, {})
    assert shown["erased_at"] is not None
    [account] = shown["accounts"]
    assert (account["name"], account["metadata"], account["status_reason"]) == ("main", {}, ERASED)
    assert (account["balance"], account["status"]) == ("100.00", "FROZEN")
    user = User.objects.get(id=ivan.id)
    assert (user.created_as, user.username) == (None, str(ivan.id))


def test_old_events_show_placeholders_and_the_new_ones_tell_of_nobody(ivan, his, admin):
    admin.patch(f"/api/v1/users/{ivan.id}", {"name": "Ivan K."})
    admin.post(f"/api/v1/accounts/{his.id}/freeze", {"reason": "lost his card"})
    admin.post(f"/api/v1/accounts/{his.id}/limits", {"credit_limit": "5", "reason": "a good customer"})
    checker = make_staff("operations")
    forget(ivan, checker=checker)
    created, opened, _, _, changed, frozen, limited, *last = read_feed()
    data = created["data"]
    assert (data["name"], data["external_id"], data["metadata"]) == (ERASED, None, {})
    assert (data["accounts"][0]["name"], data["accounts"][0]["metadata"]) == (ERASED, {})
    assert (opened["data"]["name"], opened["data"]["status_reason"], opened["reason"]) == (ERASED, "", None)
    assert (changed["before"], changed["reason"]) == ({"name": ERASED}, None)
    assert (frozen["data"]["status_reason"], frozen["reason"]) == (ERASED, ERASED)
    assert (limited["reason"], limited["data"]["credit_limit"]) == (ERASED, "5.00")
    assert [event["type"] for event in last] == ["account.changed", "user.erased"]
    for event in last:
        assert event["actor"] == {"id": str(checker.pk), "kind": "staff"}
        assert (event["before"], event["reason"]) == (None, None)
    assert last[0]["data"]["name"] == "main"
    told = last[1]["data"]
    assert (told["name"], told["external_id"], told["metadata"]) == (ERASED, None, {})
    assert told["erased_at"] == last[1]["recorded_at"]
    erased = Event.objects.get(type="user.erased")
    assert erased.data["name"] == ERASED


def test_whoever_comes_again_is_gone(ivan, his, service, admin):
    forget(ivan)
    body = {"name": NAME, "external_id": HANDLE}
    for answer in (
        service.post("/api/v1/users", {"id": str(ivan.id), **body}),
        service.post("/api/v1/users", {"id": str(ivan.id), "name": "other"}),
        service.post("/api/v1/users", body),
        service.post("/api/v1/users", {**body, "id": "01910000-0000-7000-8000-00000000aaaa"}),
        admin.patch(f"/api/v1/users/{ivan.id}", {"name": NAME}),
        admin.post("/api/v1/accounts", {"user": str(ivan.id), "currency": "EUR"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (410, "user_erased")
    assert User.objects.filter(username=str(ivan.id)).count() == 1
    known = admin.post("/api/v1/accounts", {"user": str(ivan.id), "currency": "USD"})
    assert (known.status_code, known.json()["id"]) == (201, str(his.id))


def test_who_was_forgotten_by_a_key_is_found_again(service):
    made = service.post("/api/v1/users", {"name": NAME}, headers={"Idempotency-Key": "k-1"}).json()
    forget(User.objects.get(id=made["id"]))
    again = service.post("/api/v1/users", {"name": NAME}, headers={"Idempotency-Key": "k-1"})
    assert (again.status_code, again.json()["code"]) == (410, "user_erased")


def test_an_external_id_is_free_again_when_its_time_is_over(ivan, service, settings):
    settings.ERASED_ID_DAYS = 0
    done = forget(ivan)
    assert done.external_id_hash is not None
    assert service.post("/api/v1/users", {"name": "x", "external_id": HANDLE}).status_code == 201
    assert erasing.forget_hashes() == 1
    assert erasing.forget_hashes() == 0
    done.refresh_from_db()
    assert (done.external_id_hash, done.hash_until) == (None, None)


def test_a_hash_is_found_after_the_key_was_rotated(ivan, service, settings):
    forget(ivan)
    settings.CHAIN_KEY_FALLBACKS = [settings.CHAIN_KEY]
    settings.CHAIN_KEY = "another key of the chain, used here and nowhere else"
    assert service.post("/api/v1/users", {"name": "x", "external_id": HANDLE}).status_code == 410


def test_a_hash_goes_no_sooner(ivan):
    done = forget(ivan)
    assert erasing.forget_hashes() == 0
    with pytest.raises(DatabaseError), atomic():
        Erasure.objects.filter(id=done.id).update(external_id_hash=None, hash_until=None)


def test_tokens_of_the_person_are_revoked(ivan):
    client = make_client(user=ivan)
    assert client.get(f"/api/v1/users/{ivan.id}").status_code == 200
    forget(ivan)
    assert not Token.objects.filter(user=ivan, revoked_at=None).exists()


class TestWhoMay:
    def test_nobody_approves_what_they_have_asked_for(self, ivan):
        maker = make_staff("operations")
        asked = erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(maker))
        with pytest.raises(errors.SameEraser):
            erasing.approve(id=asked.pk, caller=call(maker))
        erasing.reject(id=asked.pk, caller=call(maker), reason="a mistake")
        with pytest.raises(errors.ErasureDecided):
            erasing.approve(id=asked.pk, caller=call(make_staff("operations")))
        assert User.objects.get(pk=ivan.pk).name == NAME
        again = erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(maker))
        assert again.status == "WAITING"

    @pytest.mark.parametrize("group", ["support", "auditor"])
    def test_support_does_not_approve(self, ivan, group):
        asked = erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(make_staff("operations")))
        with pytest.raises(errors.EraserNotPermitted):
            erasing.approve(id=asked.pk, caller=call(make_staff(group)))

    def test_staff_and_services_are_not_forgotten(self):
        issue_token("api-post")
        service = User.objects.get(username__startswith="service-")
        for each in (make_staff("support"), service):
            with pytest.raises(errors.NotAHolder):
                erasing.ask(user_id=each.pk, reason=REASON, caller=call(make_staff("operations")))

    def test_nobody_is_asked_for_twice_nor_forgotten_twice(self, ivan):
        erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(make_staff("operations")))
        with pytest.raises(errors.ErasureWaiting):
            erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(make_staff("operations")))
        erasing.approve(id=Erasure.objects.get().pk, caller=call(make_staff("operations")))
        with pytest.raises(errors.UserErased):
            erasing.ask(user_id=ivan.pk, reason=REASON, caller=call(make_staff("operations")))

    def test_two_approve_what_an_operator_does(self, ivan):
        first, second, idle = make_staff("operations"), make_staff("operations"), make_staff("operations")
        idle.is_active = False
        idle.save(update_fields=["is_active"])
        for pair, error in [
            ((first.pk, first.pk), errors.SameEraser),
            ((first.pk, idle.pk), errors.EraserNotPermitted),
            ((first.pk, make_staff("support").pk), errors.EraserNotPermitted),
        ]:
            with pytest.raises(error):
                erasing.erase_at_once(user_id=ivan.pk, approvers=pair, reason=REASON, caller=CALLER)
        erasing.erase_at_once(user_id=ivan.pk, approvers=(first.pk, second.pk), reason=REASON, caller=CALLER)
        entry = RecordEntry.objects.get(type="erasure.forced")
        assert entry.data["after"]["asked_by"] == str(first.pk)
        assert entry.data["after"]["decided_by"] == str(second.pk)


class TestReasons:
    def test_one_that_names_the_person_is_erased(self, ivan):
        done = forget(ivan, reason=f"a letter of {NAME.upper()}")
        assert Erasure.objects.get(id=done.id).reason == ERASED
        assert not Text.objects.filter(content__contains={"reason": f"a letter of {NAME.upper()}"})

    def test_another_one_stays(self, ivan):
        done = forget(ivan, reason=REASON)
        assert Erasure.objects.get(id=done.id).reason == REASON


def test_a_hold_and_its_reference_stay(ivan, his):
    placed = hold(his, "10", reference="order 7", metadata={"city": "Perm"})
    forget(ivan)
    placed.refresh_from_db()
    assert (placed.reference, placed.metadata) == ("order 7", {"city": "Perm"})


def test_the_relay_lets_hashes_go(ivan, settings):
    settings.ERASED_ID_DAYS = 0
    done = forget(ivan)
    call_command("relay_events", "--once")
    done.refresh_from_db()
    assert done.external_id_hash is None
