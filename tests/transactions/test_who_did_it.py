"""Who has changed something stands in the event that tells it, or in the record: of every kind of change."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from accounts.models import Token, User
from events import feed
from events.models import RecordEntry
from tests import asking
from tests.cast import deposit, hold
from tests.conftest import make_client
from tests.office.account_pages import find_address
from tests.office.staff import make_staff, open_office
from tests.transactions.test_audit import prove

pytestmark = pytest.mark.django_db
# By the type of the event: method, address, body.
TOLD = {
    "user.changed": ("patch", "users/{user}", {"name": "other"}),
    "account.changed": ("patch", "accounts/{account}", {"metadata": {"a": "b"}}),
    "account.limits_changed": ("post", "accounts/{account}/limits", {"credit_limit": "5", "reason": "why"}),
    "account.frozen": ("post", "accounts/{account}/freeze", {"reason": "why"}),
    "account.unfrozen": ("post", "accounts/{account}/unfreeze", {"reason": "why"}),
    "account.closed": ("post", "accounts/{account}/close", {"reason": "why"}),
    "hold.released": ("post", "holds/{hold}/release", {"reason": "why"}),
}
# By the type of the entry: method, address after that of the subscription, body.
RECORDED = {
    "subscription.changed": ("patch", "", {"types": ["hold.placed"]}),
    "subscription.paused": ("post", "/pause", None),
    "subscription.resumed": ("post", "/resume", None),
    "subscription.replayed": ("post", "/replay", {}),
    "subscription.secret_rotated": ("post", "/rotate-secret", None),
    "subscription.deleted": ("delete", "", None),
}
SUBSCRIPTIONS, TOKENS = "/api/v1/subscriptions", "/admin/accounts/token/"


@pytest.fixture
def shop(db):
    return User.objects.create_user(username="shop", name="shop")


@pytest.fixture
def client(shop):
    """A service's, that may do everything."""
    return make_client("api-admin", "api-post", user=shop)


def find_entry(type):
    [entry] = RecordEntry.objects.filter(type=type)
    return entry


@pytest.mark.parametrize("type", TOLD)
def test_a_change_over_the_api_is_told_with_who_made_it_and_why(client, shop, account, type):
    method, address, body = TOLD[type]
    names = {"user": account.user_id, "account": account.id}
    if "hold" in address:
        deposit(account, "5")
        names["hold"] = hold(account, "5").id
    if type == "account.unfrozen":
        asking.freeze(id=account.id, reason="x", request_id="")
    answer = getattr(client, method)(f"/api/v1/{address.format(**names)}", body)
    assert answer.status_code == 200, answer.content
    event = feed.read().events[-1]
    assert (event["type"], event["actor"]) == (type, {"id": str(shop.id), "kind": "service"})
    assert event["request_id"] == answer["X-Request-ID"]
    assert event["reason"] == body.get("reason")
    assert event["before"]
    assert event["before"].keys() <= event["data"].keys()


def test_a_change_in_the_office_is_told_with_who_made_it_and_why(account):
    olga = make_staff("support")
    answer = open_office(olga).post(find_address(account, "freeze"), {"reason": "a stolen card"})
    assert answer.status_code == 302
    event = feed.read().events[-1]
    assert (event["type"], event["actor"]) == ("account.frozen", {"id": str(olga.id), "kind": "staff"})
    assert (event["reason"], event["before"]["status"]) == ("a stolen card", "ACTIVE")


@pytest.mark.parametrize("type", RECORDED)
def test_a_change_of_a_subscription_is_recorded_with_who_made_it(client, shop, type):
    method, address, body = RECORDED[type]
    made = client.post(SUBSCRIPTIONS, {"kind": "webhook", "url": "https://8.8.8.8/hook"}).json()
    answer = getattr(client, method)(f"{SUBSCRIPTIONS}/{made['id']}{address}", body)
    assert answer.status_code in (200, 204), answer.content
    for entry in (find_entry("subscription.created"), find_entry(type)):
        assert (entry.actor, entry.actor_kind, entry.subject_id) == (shop.id, "service", made["id"])


def test_a_token_is_recorded_with_who_issued_and_who_revoked_it():
    boss = make_staff(superuser=True)
    browser = open_office(boss)
    asked = {"name": "shop", "groups": ["api-read"], "days": "30", "reason": "a new shop"}
    assert browser.post(f"{TOKENS}issue/", asked).status_code == 200
    key = Token.objects.get().token_key
    assert browser.post(f"{TOKENS}{key}/revoke/", {"reason": "leaked"}).status_code == 302
    for type in ("token.issued", "token.revoked"):
        entry = find_entry(type)
        assert (entry.actor, entry.actor_kind, entry.subject_id) == (boss.pk, "staff", key)


def test_a_token_that_an_operator_issues_is_recorded_as_a_commands(capsys):
    call_command("issue_token", "shop", "--group", "api-read")
    entry = find_entry("token.issued")
    assert (entry.actor, entry.actor_kind) == (None, "command")
    assert entry.subject_id == Token.objects.get().token_key


def test_staff_are_in_the_groups_that_the_record_tells(capsys):
    olga = make_staff("support")
    call_command("issue_token", olga.username, "--group", "api-read")
    assert prove().findings == []
    olga.groups.remove(Group.objects.get(name="api-read"))
    assert [(finding.check, finding.row) for finding in prove().findings] == [("staff", str(olga.pk))]
