"""What a token may: chosen when it is issued, compared with what its service may, and kept."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import tokens
from accounts.models import Token, User
from events.models import RecordEntry
from events.record import read_told
from ledger.callers import ActorKind, Bounds, Caller
from ledger_project.groups import GROUPS
from rest.viewsets import known_tokens
from tests.cast import new_id
from tests.conftest import make_client
from tests.office.staff import make_staff
from transactions.proof import audit

pytestmark = pytest.mark.django_db

OPERATOR = Caller(None, ActorKind.COMMAND)
POST = "transactions.add_transaction"


def issue(name="engine", **options):
    token, _, _ = tokens.issue(name=name, days=1, caller=OPERATOR, **options)
    return Token.objects.get(token_key=token[:15])


def find_groups(name="engine"):
    return sorted(User.objects.get(username=name).groups.values_list("name", flat=True))


def test_a_token_has_the_permissions_of_the_groups_that_are_named_and_of_no_other():
    assert issue(groups=["api-post"]).permissions == sorted(GROUPS["api-post"])
    assert issue(groups=["api-read"]).permissions == sorted(GROUPS["api-read"])
    assert find_groups() == ["api-post", "api-read"]
    assert issue(permissions=[POST]).permissions == [POST]
    both = issue(groups=["monitoring"], permissions=[POST, POST])
    assert both.permissions == ["accounts.view_metrics", POST]
    assert issue().permissions == []


def test_a_token_to_read_of_a_service_that_posts_does_not_post(account, capsys):
    call_command("issue_token", "engine", group=["api-post"])
    call_command("issue_token", "engine", group=["api-read"])
    poster, reader = capsys.readouterr().out.split()
    client = make_client()
    answers = {}
    for token in (poster, reader):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        body = {"id": str(new_id()), "account": str(account.id), "type": "DEPOSIT", "amount": "1"}
        answers[token] = client.post("/api/v1/transactions", body)
    assert (answers[poster].status_code, answers[reader].status_code) == (201, 403)
    assert answers[reader].json()["permission"] == POST


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"permissions": ["transactions.add_money"]}, tokens.PermissionsUnknown),
        ({"permissions": ["add_transaction"]}, tokens.PermissionsUnknown),
        ({"permissions": ["accounts.freeze_account"]}, tokens.PermissionsBeyondUser),
        ({"permissions": [POST, "accounts.add_staff"]}, tokens.PermissionsBeyondUser),
        ({"groups": ["api-poster"]}, tokens.GroupsUnknown),
        *(
            ({"bounds": Bounds(account_names=frozenset(names))}, tokens.AccountNamesInvalid)
            for names in ((), ("",), ("x" * 151,), ("a\x00b",), map(str, range(51)))
        ),
        *(({"bounds": Bounds(types=frozenset(types))}, tokens.TypesInvalid) for types in ((), ("TRANSFER",))),
        *(
            ({"bounds": Bounds(amount_max=Decimal(amount))}, tokens.AmountMaxInvalid)
            for amount in ("0", "-1", "NaN", "Infinity", "1e999999", "1000000000000.01", "0.000000001")
        ),
    ],
)
def test_what_no_token_can_be_bound_to_and_what_its_service_may_not_is_refused(asked, error):
    issue(groups=["api-post"])
    entries = RecordEntry.objects.count()
    with pytest.raises(error):
        issue(**asked)
    assert Token.objects.count() == 1
    assert find_groups() == ["api-post"]
    assert RecordEntry.objects.count() == entries


def test_what_a_group_that_is_named_gives_need_not_be_had_before():
    kept = issue(groups=["api-admin"], permissions=["accounts.freeze_account"])
    assert "accounts.freeze_account" in kept.permissions


def test_a_superuser_gives_a_token_what_is_named_and_an_inactive_user_what_it_would_have():
    make_staff(superuser=True, username="root")
    assert issue("root", permissions=[POST]).permissions == [POST]
    issue("old", groups=["api-post"])
    User.objects.filter(username="old").update(is_active=False)
    assert issue("old", permissions=[POST]).permissions == [POST]


def test_the_user_is_locked_while_a_token_is_issued():
    issue()
    with CaptureQueriesContext(connection) as queries:
        issue()
    [lock] = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert '"accounts_user"' in lock


def test_the_record_tells_what_a_token_may_and_that_it_was_revoked():
    bounds = Bounds(frozenset({"main", "ads"}), frozenset({"DEPOSIT"}), Decimal("50.10"))
    kept = issue(groups=["api-post"], bounds=bounds)
    kept.refresh_from_db()
    assert kept.bounds == bounds
    assert tokens.revoke(token_key=kept.token_key, caller=OPERATOR) == 1
    assert tokens.revoke(token_key=kept.token_key, caller=OPERATOR) == 0
    issued, revoked = read_told(RecordEntry.objects.order_by("id"))
    told = {
        "user": str(kept.user_id),
        "username": "engine",
        "permissions": sorted(GROUPS["api-post"]),
        "account_names": ["ads", "main"],
        "types": ["DEPOSIT"],
        "amount_max": "50.1",
    }
    assert told.items() <= issued["after"].items()
    assert told.items() <= revoked["before"].items()
    kept.refresh_from_db()
    assert revoked["before"]["revoked_at"] is None
    assert revoked["after"]["revoked_at"].startswith(kept.revoked_at.strftime("%Y-%m-%dT%H:%M:%S.%f"))


def test_an_operator_revokes_what_is_there_and_is_told_what_is_not(capsys):
    stolen, gone, other = issue(), issue(), issue()
    tokens.revoke(token_key=gone.token_key, caller=OPERATOR)
    with pytest.raises(CommandError, match=r"There is no token 0123456789abcde\."):
        call_command("revoke_token", "0123456789abcde", stolen.token_key, gone.token_key, reason="stolen")
    assert capsys.readouterr().out.splitlines() == [
        f"{stolen.token_key}: revoked",
        f"{gone.token_key}: was revoked before",
    ]
    assert list(Token.objects.filter(revoked_at=None)) == [other]
    [told] = read_told(RecordEntry.objects.filter(type="token.revoked").order_by("-id")[:1])
    assert told["reason"] == "stolen"
    assert prove() == []


def prove():
    result, _ = audit.run(audit.Scope(checks=frozenset({"tokens"})))
    return [finding.row for finding in result.findings]


def test_the_audit_takes_tokens_that_are_as_the_record_tells():
    issue(groups=["api-post"])
    issue(bounds=Bounds(frozenset({"main"}), frozenset({"WITHDRAW", "DEPOSIT"}), Decimal("1000.50")))
    tokens.revoke(token_key=issue().token_key, caller=OPERATOR)
    assert prove() == []


def test_the_audit_finds_a_token_that_nobody_has_issued():
    user = issue().user
    assert prove() == []
    added, _ = Token.objects.create(user=user, permissions=[POST])
    assert prove() == [added.token_key]


def test_the_audit_finds_a_token_that_begins_as_one_that_was_issued():
    kept = issue(groups=["api-post"])
    kept.digest = "another"
    kept.save(force_insert=True)
    assert prove() == [kept.token_key] * 2


def test_the_audit_finds_a_token_that_was_revoked_by_nobody():
    kept = issue()
    Token.objects.filter(digest=kept.digest).update(revoked_at=kept.created)
    assert prove() == [kept.token_key]


def test_everybody_with_a_valid_token_is_told_whose_it_is_and_what_it_may(petya):
    make = {
        "service": make_client("api-read", permissions=["accounts.view_user", POST]),  # has no `POST`
        "holder": make_client(user=petya),
        "staff": make_client("api-read", user=make_staff("support", username="anna")),
    }
    for kind, client in make.items():
        answer = client.get("/api/v1/me")
        me, user = answer.json(), User.objects.get(id=answer.json()["user"])
        assert (me["kind"], me["name"]) == (kind, str(user))
        [kept] = user.auth_token_set.all()
        assert me["token"]["prefix"] == kept.token_key
        assert client._credentials["HTTP_AUTHORIZATION"].startswith(f"Bearer {kept.token_key}")
        assert me["token"].keys() == {
            *("prefix", "created_at", "last_used_at", "expires_at"),
            *("account_names", "types", "amount_max"),
        }
    assert make["service"].get("/api/v1/me").json()["permissions"] == ["accounts.view_user"]
    assert make["holder"].get("/api/v1/me").json()["permissions"] == []
    assert make["staff"].get("/api/v1/me").json()["permissions"] == sorted(GROUPS["api-read"])
    assert make["holder"].get("/api/v1/me?x=1").json()["code"] == "unknown_parameter"


def test_a_bounded_token_is_told_its_bounds_and_its_last_use():
    client = make_client("api-post", account_names=["main"], types=["DEPOSIT"], amount_max=Decimal("0.50"))
    token = client.get("/api/v1/me").json()["token"]
    assert (token["account_names"], token["types"], token["amount_max"]) == (["main"], ["DEPOSIT"], "0.5")
    assert token["last_used_at"] is None
    tokens.note_uses(known_tokens.take_uses())
    assert client.get("/api/v1/me").json()["token"]["last_used_at"] > token["created_at"]


def test_what_counts_is_what_the_service_may_at_the_moment():
    client = make_client("api-post")
    user = Token.objects.get().user
    assert client.get("/api/v1/me").json()["permissions"] == sorted(GROUPS["api-post"])
    user.groups.set(Group.objects.filter(name="api-read"))
    known_tokens.clear()
    assert client.get("/api/v1/me").json()["permissions"] == sorted(GROUPS["api-read"])


def test_in_the_terminal_a_token_is_bound_and_given_single_permissions(capsys):
    call_command("issue_token", "engine", "--group", "api-post", "monitoring")
    call_command(
        *("issue_token", "engine", "--permission", POST, "--account-name", "main", "ads"),
        *("--type", "DEPOSIT", "--amount-max", "500.00", "--days", "30"),
    )
    token = capsys.readouterr().out.split()[-1]
    kept = Token.objects.get(token_key=token[:15])
    assert kept.permissions == [POST]
    assert kept.bounds == (frozenset({"ads", "main"}), frozenset({"DEPOSIT"}), Decimal(500))
    assert (kept.expiry - kept.created).days in (29, 30)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--permission", "x.y"), "There is no permission x.y."),
        (("--permission", "accounts.freeze_account"), "engine has no permission accounts.freeze_account"),
        (("--group", "api-poster"), "There is no group api-poster. There are: api-admin"),
        (("--type", "GIFT"), "--type is DEPOSIT or WITHDRAW."),
        (("--amount-max", "much"), "--amount-max is more than 0"),
        (("--amount-max", "0"), "--amount-max is more than 0"),
        (("--account-name", "x" * 151), "--account-name takes 50 names"),
        (("--days", "0"), "--days is from 1 to 3650."),
    ],
)
def test_in_the_terminal_a_refusal_is_one_line(arguments, says):
    with pytest.raises(CommandError) as refused:
        call_command("issue_token", "engine", *arguments)
    assert str(refused.value).startswith(says)
    assert not Token.objects.exists()
