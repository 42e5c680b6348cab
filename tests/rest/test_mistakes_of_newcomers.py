"""What somebody gets wrong on the first day: each answer alone says what to send next.

The sentences are held to the letter: who changes one asks themselves again whether it says that.
"""

import json
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from tests.cast import UserFactory, deposit, hold, new_id
from tests.conftest import make_client
from tests.raw_requests import Answer
from tests.refusals import require_problem

pytestmark = pytest.mark.django_db

API = "/api/v1"
USERS, TRANSACTIONS, HOLDS = f"{API}/users", f"{API}/transactions", f"{API}/holds"
NO_ADDRESS = (
    "There is no such address: all begin with /api/v1/, none ends with a slash, and ids in them are UUIDs."
)
ALLOWED = "DEPOSIT, WITHDRAW"


class Newcomer:
    """Has a token that may post, and a user, petya, with 100.00 USD."""

    def __init__(self, account):
        self.account = account
        self.service = make_client("api-post")
        self.body = {"user": str(account.user_id), "type": "DEPOSIT", "amount": "1.00"}

    def post(self, client=None, **changes):
        body = {"id": str(new_id()), **self.body, **changes}
        body = {name: value for name, value in body.items() if value is not None}
        return (client or self.service).post(TRANSACTIONS, body)

    def send(self, text, content_type="application/json"):
        return self.service.generic("POST", TRANSACTIONS, text, content_type=content_type)

    def post_twice(self):
        id = str(new_id())
        self.post(id=id)
        return self.post(id=id, amount="2.00")

    def capture_twice(self):
        address = f"{HOLDS}/{hold(self.account, '10').id}/capture"
        self.service.post(address, {"id": str(new_id())})
        return self.service.post(address, {"id": str(new_id())})

    def bear(self, credentials):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=credentials)
        return client.get(USERS)


def write_number(newcomer):
    text = json.dumps({"id": str(new_id()), **newcomer.body, "amount": 100})
    return newcomer.send(text)


MISTAKES = {
    "a slash at the end": (
        lambda n: n.service.post(f"{TRANSACTIONS}/", n.body),
        ("no_such_address", "", NO_ADDRESS),
    ),
    "no version": (lambda n: n.service.get("/api/users"), ("no_such_address", "", NO_ADDRESS)),
    "an own number where an id is due": (
        lambda n: n.service.get(f"{USERS}/petya-1"),
        ("no_such_address", "", NO_ADDRESS),
    ),
    "a method that is not served": (
        lambda n: n.service.put(f"{USERS}/{n.account.user_id}", {"name": "petya"}),
        ("method_not_allowed", "", "This address knows GET, HEAD, PATCH."),
    ),
    "no token": (
        lambda n: APIClient().get(USERS),
        ("not_authenticated", "", "Send a token, in the header `Authorization: Bearer <token>`."),
    ),
    "a token of another scheme": (
        lambda n: n.bear("Token abc"),
        ("not_authenticated", "", "Send a token, in the header `Authorization: Bearer <token>`."),
    ),
    "a token that has expired": (
        lambda n: make_client("api-read", expiry=timedelta(seconds=-1)).get(USERS),
        ("token_expired", "", "The token has expired: ask for another one."),
    ),
    "a token that only reads": (
        lambda n: n.post(make_client("api-read")),
        (
            "permission_denied",
            "",
            "The token has not got the permission transactions.add_transaction.",
        ),
    ),
    "a number for an amount": (
        write_number,
        (
            "amount_not_text",
            "/amount",
            'An amount is a text like "100.00". A number is unclear: '
            "100 is one client's 1.00, another's 100.00.",
        ),
    ),
    "a comma in an amount": (
        lambda n: n.post(amount="1,50"),
        ("amount_invalid", "/amount", 'Not a decimal amount like "100.00".'),
    ),
    "a sign for a withdrawal": (
        lambda n: n.post(amount="-5.00"),
        ("amount_not_positive", "/amount", "An amount is more than zero."),
    ),
    "too many decimals": (
        lambda n: n.post(amount="1.005"),
        ("amount_scale", "/amount", "The amount has more decimals than USD has."),
    ),
    "a currency in small letters": (
        lambda n: n.post(currency="usd"),
        (
            "currency_unknown",
            "/currency",
            "usd is not a currency of this ledger. There are: USD, EUR, GBP, JPY, BHD, RUB, POINTS.",
        ),
    ),
    "a currency that the user has no account in": (
        lambda n: n.post(currency="EUR"),
        ("not_found", "/currency", "The user has accounts in USD."),
    ),
    "a user that there is not": (
        lambda n: n.post(user=str(new_id())),
        ("not_found", "/user", "There is no such user."),
    ),
    "an account for a user": (
        lambda n: n.post(user=str(n.account.id)),
        ("not_found", "/user", "There is no such user."),
    ),
    "an own number for a user": (
        lambda n: n.post(user="petya-1"),
        ("id_invalid", "/user", "Not a UUID in its usual form: 8-4-4-4-12 hexadecimal digits."),
    ),
    "neither account nor user": (
        lambda n: n.post(user=None),
        ("required", "/account", "Name an account or a user."),
    ),
    "a type in small letters": (
        lambda n: n.post(type="deposit"),
        ("invalid_choice", "/type", f"One of {ALLOWED}."),
    ),
    "a filter in small letters": (
        lambda n: n.service.get(f"{TRANSACTIONS}?type=deposit"),
        ("invalid_parameter", "?type", f"One of {ALLOWED}."),
    ),
    "no amount": (lambda n: n.post(amount=None), ("required", "/amount", "This is required.")),
    "a field that is mistyped": (
        lambda n: n.post(referense="order 7"),
        (
            "unknown_field",
            "/referense",
            "There is no such field. There are: id, account, user, currency, type, amount, reference,"
            " metadata, effective_at, expected_version.",
        ),
    ),
    "a parameter of another API": (
        lambda n: n.service.get(f"{USERS}?limit=10"),
        (
            "unknown_parameter",
            "?limit",
            "There is no such parameter. There are: external_id, name, cursor, page_size.",
        ),
    ),
    "neither id nor key": (
        lambda n: n.post(id=None),
        (
            "identity_required",
            "/id",
            "Send an id (a UUID, best of version 7) or the Idempotency-Key header.",
        ),
    ),
    "an id for another command": (
        lambda n: n.post_twice(),
        ("idempotency_key_reused", "", "This id was used before, for another command."),
    ),
    "a day as people write it": (
        lambda n: n.post(effective_at="04.01.2023"),
        ("datetime_invalid", "/effective_at", "Not a time like 2023-01-04T00:00:00Z."),
    ),
    "a plus that is a space": (
        lambda n: n.service.get(f"{USERS}/{n.account.user_id}/balance?at=2023-01-04T00:00:00+02:00"),
        (
            "datetime_invalid",
            "?at",
            "Not a time like 2023-01-04T00:00:00Z. A plus sign in a query is written %2B.",
        ),
    ),
    "a form": (
        lambda n: n.send("amount=1", content_type="application/x-www-form-urlencoded"),
        (
            "unsupported_media_type",
            "",
            "Send Content-Type: application/json, the body in UTF-8, and no Content-Encoding.",
        ),
    ),
    "a comma too many": (
        lambda n: n.send('{"amount": "1.00",}'),
        ("malformed_json", "", "The body is not JSON in UTF-8: line 1, column 19."),
    ),
    "metadata that is no text": (
        lambda n: n.post(metadata={"order": 7}),
        ("metadata_invalid", "/metadata", "Metadata is an object of texts."),
    ),
    "a hold that was captured before": (
        lambda n: n.capture_twice(),
        ("hold_not_open", "", "The hold is not open any more."),
    ),
}


@pytest.fixture
def newcomer(account):
    deposit(account, "100")
    return Newcomer(account)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_by_what_to_send_next(newcomer, mistake):
    make, (code, pointer, sentence) = MISTAKES[mistake]
    response = make(newcomer)
    answer = Answer(response.status_code, response.headers.items(), response.content)
    require_problem(answer)
    problem = answer.json()
    told = problem.get("errors", [{"pointer": "", "code": problem["code"], "detail": problem["detail"]}])
    assert told == [{"pointer": pointer, "code": code, "detail": sentence}]
    assert problem["code"] == code
    assert problem["detail"].endswith(sentence)  # whoever keeps only this in a log has all of it


def test_the_detail_of_a_problem_names_the_field_and_how_many_there_are_more(newcomer):
    problem = newcomer.service.post(TRANSACTIONS, {"id": str(new_id())}).json()
    assert problem["detail"] == "/type: This is required. And 1 more: see `errors`."
    assert [error["pointer"] for error in problem["errors"]] == ["/type", "/amount"]


def test_the_time_of_another_zone_is_answered_by_the_ledgers(newcomer):
    problem = newcomer.post(effective_at="2999-01-01T00:00:00").json()
    assert problem["code"] == "effective_at_in_future"
    assert problem["detail"].startswith("Money cannot move later than now, which is 20")
    assert problem["detail"].endswith("Z. A time without an offset is UTC.")


def test_a_command_without_a_body_is_told_what_is_missing(newcomer):
    admin = make_client("api-admin")
    answer = admin.generic("POST", f"{API}/accounts/{newcomer.account.id}/freeze")
    told = answer.json()
    assert (answer.status_code, told["code"], told["detail"]) == (
        400,
        "required",
        "/reason: This is required.",
    )


def test_a_capture_needs_no_body(newcomer):
    address = f"{HOLDS}/{hold(newcomer.account, '10').id}/capture"
    answer = newcomer.service.generic("POST", address, HTTP_IDEMPOTENCY_KEY="the-order-7")
    assert (answer.status_code, answer.json()["amount"]) == (201, "10.00")


def test_petyas_own_token_is_told_of_others_as_of_nobody(petya, newcomer):
    """What is not the caller's is answered byte for byte as what is not there."""
    own, other = make_client(user=petya), UserFactory()
    of_others = [f"{USERS}/{other.pk}", f"{USERS}/{other.pk}/balance"]
    of_others += [f"{USERS}/{other.pk}/balance?{query}" for query in ("currency=EUR", "account=savings")]
    of_others += [
        f"{API}/accounts/{other.accounts.get().pk}{part}" for part in ("", "/balance", "/thresholds")
    ]
    for address in of_others:
        nobody = address.replace(str(other.pk), str(new_id()))
        if nobody == address:
            nobody = address.replace(str(other.accounts.get().pk), str(new_id()))
        told, expected = own.get(address).json(), own.get(nobody).json()
        assert told.pop("request_id") != expected.pop("request_id")
        assert told == expected
        assert told["code"] == "not_found"
