"""What looks like something else is refused with its code, in every text of requests; nothing is trimmed."""

import json

import pytest

from accounts.models import User
from ledger.text import Rule
from tests.cast import AccountFactory, deposit, hold, new_id
from tests.conftest import make_client
from tests.look_alikes import LEGITIMATE_IDENTIFIERS, LEGITIMATE_NAMES, LEGITIMATE_NOTES, find_forms
from tests.raw_requests import Answer
from tests.refusals import require_problem, take_stock

pytestmark = pytest.mark.django_db

API = "/api/v1"


class Sender:
    """Sends requests with a text somewhere, on an account that has money and a hold."""

    def __init__(self, account):
        self.client, self.account = make_client("api-admin"), account
        deposit(account, "100")
        self.rows = [deposit(account, "1") for _ in LEGITIMATE_NOTES]
        self.held, self.other = hold(account, "1"), AccountFactory()

    def send(self, method, path, body):
        """In ASCII: half of a surrogate pair can only be sent as an escape."""
        return self.client.generic(method, f"{API}/{path}", json.dumps(body), content_type="application/json")

    def post(self, path, **body):
        return self.send("POST", path, body)

    def move(self, **texts):
        body = {"id": str(new_id()), "account": str(self.account.id), "type": "DEPOSIT", "amount": "1"}
        return self.post("transactions", **body, **texts)

    def make_user(self, **texts):
        return self.post("users", id=str(new_id()), **{"name": "x", **texts})

    def change_user(self, **texts):
        return self.send("PATCH", f"users/{self.account.user_id}", texts)

    def open_account(self, **texts):
        return self.post("accounts", user=str(self.account.user_id), currency="EUR", **texts)

    def rule(self, name, **body):
        return self.post(f"accounts/{self.account.id}/{name}", **body)

    def hold(self, **texts):
        return self.post("holds", id=str(new_id()), account=str(self.account.id), amount="1", **texts)

    def transfer(self, **texts):
        body = {"id": str(new_id()), "source": str(self.account.id), "destination": str(self.other.id)}
        return self.post("transfers", **body, amount="1", **texts)

    def reverse(self, **texts):
        return self.post(f"transactions/{self.rows.pop().id}/reverse", id=str(new_id()), **texts)

    def release(self, **texts):
        return self.post(f"holds/{self.held.id}/release", **texts)


# By the field: its rule, and a request that has the text in it.
FIELDS = {
    "external_id": (Rule.IDENTIFIER, lambda sender, text: sender.make_user(external_id=text)),
    "account's name": (Rule.IDENTIFIER, lambda sender, text: sender.open_account(name=text)),
    "reference": (Rule.IDENTIFIER, lambda sender, text: sender.move(reference=text)),
    "transfer's reference": (Rule.IDENTIFIER, lambda sender, text: sender.transfer(reference=text)),
    "hold's reference": (Rule.IDENTIFIER, lambda sender, text: sender.hold(reference=text)),
    "key of metadata": (Rule.IDENTIFIER, lambda sender, text: sender.move(metadata={text: "a"})),
    "key of a user's metadata": (
        Rule.IDENTIFIER,
        lambda sender, text: sender.make_user(metadata={text: "a"}),
    ),
    "name": (Rule.NAME, lambda sender, text: sender.make_user(name=text)),
    "another name": (Rule.NAME, lambda sender, text: sender.change_user(name=text)),
    "value of metadata": (Rule.NOTE, lambda sender, text: sender.move(metadata={"a": text})),
    "user's metadata": (Rule.NOTE, lambda sender, text: sender.change_user(metadata={"a": text})),
    "reason of a freeze": (Rule.NOTE, lambda sender, text: sender.rule("freeze", reason=text)),
    "reason of limits": (
        Rule.NOTE,
        lambda sender, text: sender.rule("limits", withdraw_max="5", reason=text),
    ),
    "reason of a reversal": (Rule.NOTE, lambda sender, text: sender.reverse(reason=text)),
    "reason of a release": (Rule.NOTE, lambda sender, text: sender.release(reason=text)),
}
TAKEN = {
    Rule.IDENTIFIER: LEGITIMATE_IDENTIFIERS,
    Rule.NAME: LEGITIMATE_NAMES,
    Rule.NOTE: LEGITIMATE_NOTES,
}


@pytest.fixture
def sender(account):
    return Sender(account)


@pytest.mark.parametrize(
    ("field", "form"),
    [(field, form) for field, (rule, _) in FIELDS.items() for form in find_forms(rule)],
    ids=str,
)
def test_a_text_that_looks_like_another_is_refused(sender, field, form):
    rule, send = FIELDS[field]
    before = take_stock()
    response = send(sender, form.text)
    answer = Answer(response.status_code, response.headers.items(), response.content)
    assert (answer.status, answer.code) == (400, form.find_code(rule)), answer
    require_problem(answer)
    assert take_stock() == before


@pytest.mark.parametrize("field", FIELDS)
def test_texts_of_all_languages_are_taken_as_they_are(sender, field):
    rule, send = FIELDS[field]
    if field in ("reason of a freeze", "reason of a release"):
        return  # these are done once; the next test has more of a freeze
    for text in TAKEN[rule]:
        answer = send(sender, text)
        assert answer.status_code in (200, 201), (text, answer.json())


@pytest.mark.parametrize("text", LEGITIMATE_NOTES)
def test_a_reason_is_kept_as_it_was_sent(sender, text):
    assert sender.rule("freeze", reason=text).json()["status_reason"] == text


@pytest.mark.parametrize("text", LEGITIMATE_NAMES)
def test_a_name_is_kept_as_it_was_sent(sender, text):
    assert sender.make_user(name=text).json()["name"] == text
    found = sender.client.get(f"{API}/users", {"name": text}).json()["results"]
    assert [user["name"] for user in found] == [text]


def test_all_texts_that_are_wrong_are_told_at_once(sender):
    problem = sender.make_user(name="\u202ex", external_id="x ", metadata={"a": "\u200b"}).json()
    assert {error["pointer"]: error["code"] for error in problem["errors"]} == {
        "/name": "text_control_character",
        "/external_id": "text_padded",
        "/metadata": "text_invisible",
    }
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in problem["detail"]


def test_what_looks_the_same_is_one_customer_or_none(sender):
    assert sender.make_user(external_id="cust-1").status_code == 201
    for text in ("cust-1 ", "cust-1\u200b", "cust-1\u200f", "cust-1\u00a0"):
        assert sender.make_user(external_id=text).status_code == 400
    assert User.objects.filter(external_id__startswith="cust-1").count() == 1
