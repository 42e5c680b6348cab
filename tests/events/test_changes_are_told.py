"""Every change of a user, an account or a hold is an event: by whom, what was before and after, and why."""

import pytest

from events import feed
from events.models import Event, Text
from tests.accounts.erasing import forget
from tests.cast import deposit, new_id
from tests.conftest import make_client
from tests.transactions.told import read_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return make_client("api-admin", "api-post")


def send(client, method, path, **body):
    answer = getattr(client, method)(f"/api/v1/{path}", body)
    assert answer.status_code in (200, 201, 402), answer.content
    return answer.json()


# The call, as the path and the body; the event, what was before, and the reason that it tells.
OF_A_LARGER_HOLD = {"amount": "40.00", "remaining": "40.00"}
CALLS = [
    ("patch", "users/{user}", {"name": "Pyotr"}, "user.changed", {"name": "petya"}, None),
    ("patch", "accounts/{account}", {"metadata": {"a": "b"}}, "account.changed", {"metadata": {}}, None),
    (
        *("post", "accounts/{account}/limits", {"credit_limit": "5", "reason": "asked"}),
        *("account.limits_changed", {"credit_limit": "0.00", "available": "100.00"}, "asked"),
    ),
    (
        *("post", "accounts/{account}/limits", {"withdraw_max": "70"}),
        *("account.limits_changed", {"withdraw_max": None}, None),
    ),
    (
        *("post", "accounts/{account}/freeze", {"reason": "doubt"}),
        *("account.frozen", {"status": "ACTIVE", "status_reason": ""}, "doubt"),
    ),
    (
        *("post", "accounts/{account}/unfreeze", {"reason": "settled"}),
        *("account.unfrozen", {"status": "FROZEN", "status_reason": "doubt"}, "settled"),
    ),
    ("post", "holds", {"id": "{hold}", "account": "{account}", "amount": "30"}, "hold.placed", None, None),
    (
        *("patch", "holds/{hold}", {"amount": "40", "expires_at": "2999-01-01T00:00:00Z"}, "hold.changed"),
        *({"amount": "30.00", "remaining": "30.00", "expires_at": None}, None),
    ),
    ("patch", "holds/{hold}", {"amount": "30"}, "hold.changed", OF_A_LARGER_HOLD, None),
    (
        *("post", "holds/{hold}/capture", {"id": "{capture}", "amount": "10", "final": False}),
        *("hold.captured", {"captured": "0.00", "remaining": "30.00"}, None),
    ),
    (
        *("post", "holds/{hold}/release", {"reason": "sold out"}),
        *("hold.released", {"status": "OPEN", "remaining": "20.00", "closed_at": None}, "sold out"),
    ),
    (
        "post",
        "holds",
        {"id": "{other}", "account": "{account}", "amount": "900"},
        "hold.declined",
        None,
        None,
    ),
]


def test_every_change_says_who_what_before_and_why(admin, petya, account):
    deposit(account, "100")
    names = {"user": petya.id, "account": account.id}
    names |= {name: new_id() for name in ("hold", "capture", "other")}
    for method, path, body, type, before, reason in CALLS:
        body = {
            name: value.format(**names) if isinstance(value, str) else value for name, value in body.items()
        }
        send(admin, method, path.format(**names), **body)
        stream = petya.id if type.startswith("user.") else account.id
        told = read_events(stream=stream)[-1]
        assert (told.type, told.before, told.reason, told.actor_kind) == (type, before, reason, "service")
        assert told.actor is not None
        for name, value in (before or {}).items():
            assert told.data[name] != value
        assert feed.read(limit=500).events[-1]["before"] == before
        assert feed.read(limit=500).events[-1]["reason"] == reason


def test_a_closing_is_told_with_its_reason(admin, petya, account):
    send(admin, "post", f"accounts/{account.id}/close", reason="asked for")
    told = read_events(stream=account.id)[-1]
    assert (told.type, told.reason) == ("account.closed", "asked for")
    assert told.before == {"status": "ACTIVE", "status_reason": ""}


def test_no_personal_text_stands_in_events(admin):
    secrets = ["Иван", "crm-4711", "ivan@example.com", "a private matter"]
    user = send(
        admin, "post", "users", name=secrets[0], external_id=secrets[1], metadata={"mail": secrets[2]}
    )
    [account] = user["accounts"]
    send(admin, "post", f"accounts/{account['id']}/freeze", reason=secrets[3])
    send(admin, "patch", f"users/{user['id']}", name="Пётр")
    events = Event.objects.filter(stream__in=[user["id"], account["id"]])
    assert len(events) == 4
    for event in events:
        stored = repr([event.data, event.before])
        assert not [secret for secret in (*secrets, "Пётр") if secret in stored]
    assert [each["data"]["name"] for each in feed.read().events] == ["Иван", "main", "main", "Пётр"]
    assert {str(owner) for owner in Text.objects.values_list("owner", flat=True)} == {user["id"]}


def test_what_was_erased_is_shown_by_placeholders_and_the_rest_as_it_was(admin, petya):
    send(admin, "patch", f"users/{petya.id}", name="Pyotr")
    forget(petya)
    created, opened, changed, *_ = feed.read().events
    for event in (created, opened, changed):
        assert event["data"]["name"] == "[erased]"
    assert (changed["before"], changed["data"]["id"]) == ({"name": "[erased]"}, str(petya.id))
    assert (changed["data"]["external_id"], changed["data"]["metadata"]) == (None, {})
