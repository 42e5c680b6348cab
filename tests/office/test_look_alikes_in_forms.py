"""What looks like something else is refused in the forms of staff too; on pages no text moves another."""

import re

import pytest
from django.utils import translation

from accounts.models import Staff, User
from ledger.text import Rule
from office.explanations import REFUSALS
from tests.cast import UserFactory, deposit, hold, new_id
from tests.look_alikes import FORMS, LEGITIMATE_IDENTIFIERS, LEGITIMATE_NAMES
from tests.office.account_pages import find_address
from tests.office.notes import note
from tests.office.staff import open_office
from tests.refusals import take_stock
from transactions.models import Correction

RECORD = "/admin/events/recordentry/"
STAFF, TOKENS = "/admin/accounts/staff/create/", "/admin/accounts/token/issue/"


class Sender:
    """Sends forms with a text somewhere."""

    def __init__(self, office, account):
        self.office, self.account = office, account
        self.row, self.held = deposit(account, "100"), hold(account, "1")

    def make_staff(self, **texts):
        asked = {"username": f"vera-{new_id()}", "name": "Vera", "reason": "new"}
        return self.office.post(STAFF, asked | texts)

    def issue(self, **texts):
        return self.office.post(TOKENS, {"name": "engine", "days": "1", "reason": "new"} | texts)

    def freeze(self, **texts):
        return self.office.post(find_address(self.account, "freeze"), texts)

    def release(self, **texts):
        return self.office.post(f"/admin/accounts/hold/{self.held.id}/release/", texts)

    def reverse(self, **texts):
        address = f"/admin/transactions/transaction/{self.row.id}/reverse/"
        return self.office.post(address, {"identity": new_id(), "amount": "1"} | texts)

    def adjust(self, **texts):
        asked = {"identity": new_id(), "type": "DEPOSIT", "amount": "1", "reason": "error", "reference": "T"}
        return self.office.post(find_address(self.account, "adjust"), asked | texts)

    def reverse_together(self, **texts):
        address = "/admin/transactions/transaction/reverse-together/"
        return self.office.post(address, {"identity": new_id(), "rows": str(self.row.id)} | texts)

    def set_limits(self, **texts):
        return self.office.post(find_address(self.account, "limits"), {"withdraw_max": "5"} | texts)


FIELDS = {
    "user name": (Rule.IDENTIFIER, lambda sender, text: sender.make_staff(username=text)),
    "name of a service": (Rule.IDENTIFIER, lambda sender, text: sender.issue(name=text)),
    "reference": (Rule.IDENTIFIER, lambda sender, text: sender.adjust(reference=text)),
    "name of staff": (Rule.NAME, lambda sender, text: sender.make_staff(name=text)),
    "reason of a correction": (Rule.NOTE, lambda sender, text: sender.adjust(reason=text)),
    "reason of a freeze": (Rule.NOTE, lambda sender, text: sender.freeze(reason=text)),
    "reason of a release": (Rule.NOTE, lambda sender, text: sender.release(reason=text)),
    "reason of limits": (Rule.NOTE, lambda sender, text: sender.set_limits(reason=text)),
    "reason of many": (Rule.NOTE, lambda sender, text: sender.reverse_together(reason=text)),
    "reason of a reversal": (Rule.NOTE, lambda sender, text: sender.reverse(reason=text)),
    "reason of a token": (Rule.NOTE, lambda sender, text: sender.issue(reason=text)),
    "reason of a make_staff": (Rule.NOTE, lambda sender, text: sender.make_staff(reason=text)),
}
# A form is sent in UTF-8, which has no half of a pair.
CASES = [
    (field, form)
    for field, (rule, _) in FIELDS.items()
    for form in FORMS
    if form.find_code(rule) and not re.search("[\ud800-\udfff]", form.text)
]


@pytest.fixture
def sender(superuser, account):
    return Sender(superuser, account)


def list_errors(answer):
    return [str(error) for errors in answer.context["form"].errors.values() for error in errors]


@pytest.mark.parametrize(("field", "form"), CASES, ids=str)
def test_a_form_with_a_text_that_looks_like_another_is_refused(sender, field, form):
    rule, send = FIELDS[field]
    before = take_stock(), Correction.objects.count(), User.objects.count()
    answer = send(sender, form.text)
    assert answer.status_code == 422
    words = str(REFUSALS[form.find_code(rule)])
    if rule is Rule.NOTE and not form.text.strip():  # of a note the ends are left away
        words = "This field is required."
    assert words in list_errors(answer)
    assert (take_stock(), Correction.objects.count(), User.objects.count()) == before


def test_texts_of_all_languages_are_taken_as_they_are(sender):
    for text in LEGITIMATE_IDENTIFIERS:
        assert sender.adjust(reference=text).status_code == 302, text
    assert set(Correction.objects.values_list("reference", flat=True)) == set(LEGITIMATE_IDENTIFIERS)
    for text in LEGITIMATE_NAMES:
        assert sender.make_staff(name=text).status_code == 200, text
    assert set(LEGITIMATE_NAMES) <= set(Staff.objects.filter(is_staff=True).values_list("name", flat=True))


def test_a_reason_of_several_lines_has_the_line_ends_that_the_api_knows(sender):
    assert sender.freeze(reason=" The card was stolen.\r\nTicket 7. ").status_code == 302
    sender.account.refresh_from_db()
    assert sender.account.status_reason == "The card was stolen.\nTicket 7."


def test_a_refusal_is_told_in_the_readers_language(boss, account):
    office = open_office(boss, headers={"accept-language": "ru"})
    text = Sender(office, account).adjust(reference="T ", reason="\u202ea").content.decode()
    with translation.override("ru"):
        for code in ("text_padded", "text_control_character"):
            assert str(REFUSALS[code]) in text


SHALOM, ALI = "שלום (כהן)", "علي: 7"
MARKED = re.compile(r"<bdi[^>]*>(.*?)</bdi>", re.S)


@pytest.fixture
def named(sender):
    """Somebody, and all that is about them, in letters that are written to the left."""
    user = UserFactory(name=SHALOM, external_id=ALI, metadata={ALI: SHALOM})
    sender.account = user.accounts.get()
    sender.row = deposit(sender.account, "100", reference=ALI, metadata={ALI: SHALOM})
    sender.held = hold(sender.account, "1", reference=ALI, metadata={ALI: SHALOM})
    sender.freeze(reason=SHALOM)
    sender.adjust(reference=ALI, reason=SHALOM)
    sender.make_staff(username="ali", name=SHALOM, reason=ALI)
    return sender


def test_every_page_sets_apart_what_somebody_has_written(named):
    user, account = named.account.user, named.account
    correction = Correction.objects.get(account=account)
    member = Staff.objects.get(username="ali")
    addresses = [
        "/admin/", "/admin/accounts/user/", "/admin/accounts/account/", "/admin/accounts/hold/",
        "/admin/accounts/staff/", "/admin/transactions/transaction/",
        "/admin/transactions/correction/?state=all", RECORD,
        f"/admin/find/?q={SHALOM[:4]}", f"/admin/find/?q={ALI}", f"/admin/accounts/user/{user.pk}/change/",
        find_address(account), find_address(account) + "?show=holds", find_address(account, "unfreeze"),
        f"/admin/accounts/hold/{named.held.id}/change/", f"/admin/accounts/staff/{member.pk}/change/",
        f"/admin/transactions/transaction/{named.row.id}/change/",
        f"/admin/transactions/correction/{correction.pk}/change/",
    ]  # fmt: skip
    seen = 0
    for address in addresses:
        page = named.office.get(address)
        assert page.status_code == 200, address
        # In titles, in names of regions and in what was typed into a form there is no place for an element.
        html = re.sub(
            '<title>.*?</title>|<input[^>]*>|aria-label="[^"]*"', "", page.content.decode(), flags=re.S
        )
        seen += len(MARKED.findall(html))
        beside = MARKED.sub("", html)
        assert not re.search("[\u0590-\u06ff]", beside), (address, re.findall(".*[\u0590-\u06ff].*", beside))
    assert seen > 40


def test_what_is_set_apart_is_still_escaped(sender):
    user = UserFactory(name="<b>x</b>", external_id="<i>", metadata={"<u>": "<s>"})
    text = sender.office.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()
    assert "<bdi>&lt;b&gt;x&lt;/b&gt;</bdi>" in text
    assert not re.search("<b>x|<i>|<u>|<s>", text)


def test_what_was_stands_before_what_has_become_in_the_record(superuser, boss):
    note(boss, before={"name": SHALOM}, after={"name": ALI})
    text = superuser.get(RECORD).content.decode()
    assert f"name: <bdi>&quot;{SHALOM}&quot;</bdi> → <bdi>&quot;{ALI}&quot;</bdi>" in text
    assert f'name: ""{SHALOM}"" → ""{ALI}""' in superuser.get(RECORD, {"csv": 1}).content.decode()
