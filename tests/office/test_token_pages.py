from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts.models import Token, User
from rest.viewsets import known_tokens
from tests.cast import issue_token
from tests.office.answers import find_accesses, find_secret, hear, read
from tests.office.staff import dismiss, make_staff

TOKENS = "/admin/accounts/token/"
ASKED = {"name": "shop", "groups": ["api-read"], "days": "30", "reason": "a new shop"}


def ask_the_api(token):
    known_tokens.clear()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client.get("/api/v1/users")


def test_an_issued_token_is_shown_once_and_the_api_takes_it(superuser):
    answer = superuser.post(f"{TOKENS}issue/", ASKED)
    token = find_secret(answer)
    assert "no-store" in answer["Cache-Control"]
    assert ask_the_api(token).status_code == 200
    shop = User.objects.get(username="shop")
    assert not shop.has_usable_password()
    assert not shop.is_staff
    assert [group.name for group in shop.groups.all()] == ["api-read"]
    [kept] = Token.objects.all()
    assert kept.expiry - kept.created == pytest.approx(timedelta(days=30), abs=timedelta(minutes=1))
    [access] = find_accesses(action="CHANGE")
    assert (access.type, access.subject_id, access.reason) == ("token.issued", token[:15], "a new shop")
    assert (access.after["username"], access.after["groups"]) == ("shop", ["api-read"])
    for text in (read(superuser.get(TOKENS)), read(superuser.get(f"{TOKENS}{token[:15]}/change/"))):
        assert token[:15] in text
        assert token not in text
        assert kept.digest[:20] not in text
    said = (
        f"{dict(superuser.session)} {[vars(each) for each in find_accesses()]} {hear(superuser.get(TOKENS))}"
    )
    assert token not in said


def test_a_form_that_is_sent_twice_issues_two_tokens(superuser):
    tokens = {find_secret(superuser.post(f"{TOKENS}issue/", ASKED)) for _ in range(2)}
    assert len(tokens) == Token.objects.count() == 2
    assert User.objects.filter(username="shop").count() == 1
    assert [ask_the_api(token).status_code for token in tokens] == [200, 200]


def test_a_revoked_token_is_taken_no_more(superuser):
    token, other = issue_token("api-read"), issue_token("api-read")
    address = f"{TOKENS}{token[:15]}"
    assert "Revoke" in read(superuser.get(f"{address}/change/"))
    assert "5 seconds" in read(superuser.post(f"{address}/revoke/", {"reason": "leaked"}, follow=True))
    assert [ask_the_api(each).status_code for each in (token, other)] == [401, 200]
    [access] = find_accesses(type="token.revoked")
    assert (access.subject, access.subject_id, access.reason) == ("token", token[:15], "leaked")
    assert superuser.post(f"{address}/revoke/", {"reason": "again"}).status_code == 302
    assert len(find_accesses(type="token.revoked")) == 1
    page = read(superuser.get(f"{address}/change/"))
    assert "revoked" in page
    assert f"{address}/revoke/" not in page
    assert f"{address}/" in read(superuser.get(TOKENS))
    assert f"{TOKENS}{other[:15]}/revoke/" in read(superuser.get(f"{TOKENS}{other[:15]}/change/"))


def test_a_token_has_the_permissions_and_bounds_that_were_chosen(superuser):
    find_secret(superuser.post(f"{TOKENS}issue/", {**ASKED, "groups": ["api-post"]}))
    chosen = {
        "groups": [],
        "permissions": ["transactions.add_transaction", "accounts.view_user"],
        "account_names": "main\r\n<b>ads</b>\r\n",
        "types": ["DEPOSIT"],
        "amount_max": "1234.5",
    }
    token = find_secret(superuser.post(f"{TOKENS}issue/", {**ASKED, **chosen}))
    kept = Token.objects.get(token_key=token[:15])
    assert kept.permissions == ["accounts.view_user", "transactions.add_transaction"]
    assert (kept.account_names, kept.types, kept.amount_max) == (["<b>ads</b>", "main"], ["DEPOSIT"], 1234.5)
    known_tokens.clear()
    superuser.cookies.pop("django_language", None)
    page = read(superuser.get(f"{TOKENS}{token[:15]}/change/"))
    told = ("accounts.view_user, transactions.add_transaction", "<bdi>&lt;b&gt;ads&lt;/b&gt;</bdi>")
    for text in (*told, "deposit", "1,234.5", "Groups of the user", "api-post"):
        assert text in page, text
    assert "≤\N{NO-BREAK SPACE}1,234.5" in read(superuser.get(TOKENS))
    [*_, access] = find_accesses(type="token.issued")
    assert access.after["permissions"] == kept.permissions
    assert (access.after["account_names"], access.after["amount_max"]) == (kept.account_names, "1234.5")


def test_staff_get_no_token(superuser):
    make_staff("operations", username="anna")
    dismiss(make_staff(superuser=True, username="root"))
    for name in ("anna", "root", "boss"):
        assert "second factor" in read(superuser.post(f"{TOKENS}issue/", {**ASKED, "name": name}), 422)
    assert not Token.objects.exists()
    assert not User.objects.get(username="anna").groups.filter(name="api-read").exists()


def test_who_is_not_active_gets_no_token(superuser):
    User.objects.create_user(username="old", is_active=False)
    assert "not active" in read(superuser.post(f"{TOKENS}issue/", {**ASKED, "name": "old"}), 422)
    assert not Token.objects.exists()


def test_an_account_holder_gets_a_token_for_what_is_theirs(superuser, petya):
    asked = {**ASKED, "name": str(petya.id), "groups": []}
    token = find_secret(superuser.post(f"{TOKENS}issue/", asked))
    assert [user["id"] for user in ask_the_api(token).json()["results"]] == [str(petya.id)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": "0"},
        {"days": "3651"},
        {"days": "9" * 30},
        {"days": "x"},
        {"groups": ["support"]},
        {"groups": ["api-none"]},
        {"permissions": ["accounts.add_staff"]},
        {"permissions": ["accounts.none"]},
        {"permissions": ["accounts.freeze_account"]},  # which nobody gives to the service
        {"account_names": "x" * 151},
        {"account_names": "\n".join(map(str, range(51)))},
        {"types": ["TRANSFER"]},
        {"amount_max": "0"},
        {"amount_max": "-1"},
        {"amount_max": "1e3"},
        {"amount_max": "1000000000000.01"},
        {"amount_max": "0.000000001"},
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "x" * 151},
        {"reason": ""},
    ],
)
def test_a_wrong_form_issues_nothing(superuser, wrong):
    before = User.objects.count()
    read(superuser.post(f"{TOKENS}issue/", {**ASKED, **wrong}), 422)
    assert not Token.objects.exists()
    assert User.objects.count() == before


def test_a_name_in_another_form_is_the_same_user(superuser):
    User.objects.create_user(username="shop")
    find_secret(superuser.post(f"{TOKENS}issue/", {**ASKED, "name": "ｓｈｏｐ"}))
    assert Token.objects.get().user.username == "shop"


def test_tokens_are_found_by_their_user_and_a_leaked_one_by_itself_which_is_not_kept(superuser):
    token, other = issue_token("api-read"), issue_token("api-read")
    name = Token.objects.get(token_key=token[:15]).user.username
    for words in (name, token[:15], token):
        text = read(superuser.get(TOKENS, {"q": words}))
        assert f"{TOKENS}{token[:15]}/" in text
        assert f"{TOKENS}{other[:15]}/" not in text
    assert [access.detail for access in find_accesses(action="SEARCH")] == [name, token[:15], token[:15]]


def test_the_list_says_which_tokens_count_and_costs_the_same_for_few_and_for_many(
    superuser, django_assert_num_queries
):
    issue_token("api-read", expiry=timedelta(seconds=-1))
    gone = Token.objects.get(token_key=issue_token()[:15]).user
    User.objects.filter(pk=gone.pk).update(is_active=False)
    superuser.get(TOKENS)
    with django_assert_num_queries(14):
        text = read(superuser.get(TOKENS))
    assert "expired" in text
    assert "user is not active" in text
    for _ in range(20):
        issue_token("api-read")
    with django_assert_num_queries(14):
        read(superuser.get(TOKENS))


def test_no_address_gives_a_digest_away(superuser):
    digest = Token.objects.get(token_key=issue_token()[:15]).digest
    for query in ("_popup=1", "_to_field=digest", "_popup=1&_to_field=digest", "o=1", "all=1"):
        assert digest[:20] not in superuser.get(f"{TOKENS}?{query}").content.decode(), query
    assert superuser.get(f"{TOKENS}{digest}/change/").status_code == 302
    assert all(digest[:20] not in access.subject_id for access in find_accesses())
