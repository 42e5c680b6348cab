"""The rules of texts by themselves, and that who posts from inside the process is held to them too."""

import sys

import pytest

from accounts import operations
from accounts.models import REFERENCE_LENGTH_MAX
from ledger import text
from ledger.errors import LedgerError
from ledger.text import Rule, find_fault, is_plain, require_text
from tests.cast import CALLER, AccountFactory, OrderFactory, hold, new_id, transfer
from tests.look_alikes import (
    CONTROL,
    FORMS,
    INVALID,
    INVISIBLE,
    LEGITIMATE_IDENTIFIERS,
    LEGITIMATE_NAMES,
    LEGITIMATE_NOTES,
    OTHER_FORM,
    PADDED,
)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name)
def test_a_form_is_refused_with_its_code_or_taken(form, rule):
    fault = find_fault(form.text, rule)
    assert (fault and fault.code) == form.find_code(rule), fault


def test_there_are_thirty_forms_and_each_is_another():
    assert len({form.text for form in FORMS}) == len({form.what for form in FORMS}) == len(FORMS) >= 30


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        (Rule.IDENTIFIER, LEGITIMATE_IDENTIFIERS),
        (Rule.NAME, LEGITIMATE_NAMES),
        (Rule.NOTE, LEGITIMATE_NOTES),
    ],
)
def test_texts_of_all_languages_are_taken(rule, texts):
    assert [each for each in ["", *texts] if find_fault(each, rule)] == []


def test_a_plain_text_is_printable_ascii_without_spaces_at_its_ends():
    texts = ["", "a", "ab", "a b", "a  b", *map(chr, range(0x250)), *(f"a{chr(n)}" for n in range(0x250))]
    for each in texts:
        plain = each.isascii() and each.isprintable() and each == each.strip()
        assert bool(is_plain(each)) is plain, ascii(each)
        assert not plain or [find_fault(each, rule) for rule in Rule] == [None] * 3


def test_a_long_text_of_spaces_takes_no_long_time():
    """A pattern that tries every way to match would never end."""
    assert not is_plain("a" * 100_000 + " ")
    assert not is_plain(" " * 100_000)
    assert find_fault("\u200d" * 500, Rule.NAME)


def test_every_character_is_judged():
    """A note refuses the least, an identifier the most, and what they refuse has one of the codes."""
    codes = {INVALID, CONTROL, INVISIBLE, PADDED, OTHER_FORM}
    for number in range(0x110000):
        for sent in (chr(number), f"a{chr(number)}b"):
            note, name, identifier = (
                find_fault(sent, rule) for rule in (Rule.NOTE, Rule.NAME, Rule.IDENTIFIER)
            )
            assert note is None or name is not None, sent
            assert name is None or identifier is not None, sent
            assert {each.code for each in (note, name, identifier) if each} <= codes


@pytest.mark.django_db
@pytest.mark.parametrize("form", [form for form in FORMS if form.identifier], ids=str)
def test_who_posts_from_inside_is_refused_too(form, account):
    for ask in (
        lambda: OrderFactory(account=account, reference=form.text),
        lambda: OrderFactory(account=account, metadata={form.text: "a"}),
        lambda: hold(account, "1", reference=form.text),
        lambda: transfer(account, AccountFactory(), "1", reference=form.text),
        lambda: operations.create_user(id=new_id(), name="a", external_id=form.text, caller=CALLER),
        lambda: operations.create_account(
            user_id=account.user_id, currency="EUR", name=form.text, caller=CALLER
        ),
    ):
        with pytest.raises(LedgerError) as refused:
            ask()
        assert refused.value.code == form.identifier
        assert refused.value.field in ("reference", "metadata", "external_id", "name")


@pytest.mark.django_db
@pytest.mark.parametrize("form", [form for form in FORMS if form.name], ids=str)
def test_a_name_from_inside_is_refused_too(form, petya):
    for ask in (
        lambda: operations.create_user(id=new_id(), name=form.text, caller=CALLER),
        lambda: operations.change_user(id=petya.id, changes={"name": form.text}, caller=CALLER),
    ):
        with pytest.raises(LedgerError) as refused:
            ask()
        assert refused.value.code == form.name


@pytest.mark.django_db
@pytest.mark.parametrize("form", [form for form in FORMS if form.note], ids=str)
def test_metadata_from_inside_is_refused_too(form, account):
    with pytest.raises(LedgerError) as refused:
        OrderFactory(account=account, metadata={"a": form.text})
    assert (refused.value.code, refused.value.field) == (form.note, "metadata")


def test_a_refusal_names_its_field_and_no_other_one_does():
    with pytest.raises(text.TextPadded) as refused:
        require_text("a ", Rule.NAME, "name")
    assert refused.value.field == "name"
    assert text.TextPadded.field is None


def test_an_ordinary_reference_costs_no_function_of_ours():
    seen = []

    def see(frame, event, argument):
        if event == "call":
            seen.append(frame.f_code.co_filename)

    sys.setprofile(see)
    try:
        is_plain("x" * REFERENCE_LENGTH_MAX)
    finally:
        sys.setprofile(None)
    assert seen == []
