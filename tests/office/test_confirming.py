"""What a command's page shows of what is confirmed and of what would come of it; how its form is read."""

from decimal import Decimal

import pytest

from office.actions import CommandForm
from office.forms import Ambiguous, fit, read_number
from office.pages.accounts.admin import AdjustForm
from office.pages.transactions import ReverseForm
from tests import asking
from tests.cast import AccountFactory, deposit, hold, new_id, withdraw
from tests.claims import claim
from tests.office.account_pages import find_address, read_text
from tests.office.answers import find_accesses, read
from tests.office.correcting import adjust, balance, page, reverse_page
from tests.office.staff import open_office
from transactions.models import Correction, Transaction


@pytest.fixture
def rich(account):
    deposit(account, "100", reference="INV-1")
    hold(account, "30", reference="hotel")
    return account


def see(client, address, **asked):
    answer = client.post(address, {"check": "1", **asked}) if asked else client.get(address)
    return read_text(read(answer))


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1,200 JPY"), ("BHD", "1,200.000 BHD")])
def test_the_form_of_an_amount_names_its_currency(operations, currency, amount):
    account = AccountFactory(currency=currency)
    row = deposit(account, "1200")
    form = AdjustForm()
    form.fill(account)
    assert form["amount"].label == f"Amount in {currency}"
    for address in (find_address(account, "adjust"), find_address(account, "claim"), reverse_page(row)):
        text = see(operations, address)
        assert f"Amount in {currency}" in text, address
        assert amount in text
    assert f"Credit limit, in {currency}" in see(operations, find_address(account, "limits"))


def test_reversing_shows_what_is_reversed_and_what_would_come_of_it(operations, rich):
    row = deposit(rich, "40", reference="INV-2")
    text = see(operations, reverse_page(row))
    for part in ("Amount 40.00 USD", "User petya", "Account main USD", "Reference INV-2", "Effective"):
        assert part in text
    assert "Balance 140.00 USD 100.00 USD Held 30.00 USD 30.00 USD Available 110.00 USD 70.00 USD" in text
    assert "As things are" not in text
    assert balance(rich) == 140


def test_it_follows_what_is_typed_and_does_nothing(operations, rich):
    row = Transaction.objects.get()
    address = reverse_page(row)
    assert "As things are, the ledger would decline it:" in see(operations, address)
    html = read(operations.get(address))
    assert f'hx-post="{address}"' in html
    assert 'name="check"' in html
    for reason in ("", "a mistake"):
        text = see(operations, address, amount="25", reason=reason, identity=new_id())
        assert "Balance 100.00 USD 75.00 USD" in text
    assert "As things are" not in text
    for amount in ("x", "-1", "1.001", "999999999999999", ""):
        assert operations.post(address, {"check": "1", "amount": amount}).status_code == 200, amount
    assert not Correction.objects.exists()


def test_correcting_shows_the_account_and_what_would_come_of_it(operations, rich):
    address = find_address(rich, "adjust")
    assert "Balance 100.00 USD –" in see(operations, address)
    asked = {"type": "WITHDRAW", "amount": "50.00", "identity": new_id()}
    text = see(operations, address, **asked)
    for part in ("Balance 100.00 USD 50.00 USD", "Available 70.00 USD 20.00 USD", "User petya"):
        assert part in text
    assert "less available" in see(operations, address, **asked | {"amount": "70.01"})


def test_freezing_releasing_claiming_and_waiving_show_it_too(operations, rich):
    [placed] = rich.holds.all() if hasattr(rich, "holds") else [hold(rich, "1")]
    text = see(operations, f"/admin/accounts/hold/{placed.id}/release/")
    assert f"Amount {placed.amount:.2f} USD" in text
    assert "User petya" in text
    text = see(operations, find_address(rich, "freeze"))
    for part in ("User petya", "Account main USD", "Balance 100.00 USD 100.00 USD"):
        assert part in text
    text = see(operations, find_address(rich, "claim"), amount="150", identity=new_id())
    assert "Owed 0.00 USD" in text
    debt = claim(AccountFactory(name="Boris"), "7")
    text = see(operations, f"/admin/accounts/claim/{debt.id}/waive/")
    for part in ("User Boris", "Amount 7.00 USD", "Owed 7.00 USD 0.00 USD"):
        assert part in text


def test_an_approval_shows_its_numbers_and_says_why_it_would_be_declined(first, second, rich):
    made = adjust(rich, "500", first, type=Transaction.Type.WITHDRAW)
    office = open_office(second)
    for address in (page(made), page(made, "approve"), page(made, "reject")):
        text = see(office, address)
        for part in ("-500.00 USD", "petya", "goodwill", "Balance 100.00 USD 100.00 USD", "would decline it"):
            assert part in text, address
        assert "available 70.00 USD" in text
    asking.freeze(id=rich.id, reason="test", request_id="test")
    assert "The account is frozen" in see(office, page(made, "approve"))
    small = adjust(rich, "200", first)
    assert "Balance 100.00 USD 300.00 USD" in see(office, page(small, "approve"))
    assert "would decline it" not in see(office, page(small, "approve"))
    assert balance(rich) == 100


def test_what_a_commands_page_shows_is_recorded_as_seen(operations, rich):
    see(operations, find_address(rich, "freeze"))
    [seen] = find_accesses(action="VIEW", subject="account")
    assert (seen.detail, seen.subject_id) == ("freeze", str(rich.id))


# Limits, and closing


def test_limits_are_set_for_a_reason_and_taken_away(operations, rich):
    address = find_address(rich, "limits")
    text = see(operations, address, credit_limit="1,000.00", withdraw_max="5", withdraw_day_max="")
    assert "Available 70.00 USD 1,070.00 USD" in text
    asked = {"credit_limit": "1 000,00", "withdraw_max": "5", "reason": "a good customer"}
    assert operations.post(address, asked).status_code == 302
    rich.refresh_from_db()
    assert (rich.credit_limit, rich.withdraw_max, rich.withdraw_day_max) == (1000, 5, None)
    assert 'value="1000.00"' in read(operations.get(address))
    [told] = find_accesses(action="CHANGE")
    assert told.reason == "a good customer"
    withdraw(rich, "1")
    assert operations.post(address, {"reason": "no more"}).status_code == 302
    rich.refresh_from_db()
    assert (rich.credit_limit, rich.withdraw_max) == (0, None)
    for field, limit in (("withdraw_max", "-1"), ("withdraw_max", "1.001"), ("credit_limit", "9" * 30)):
        answer = operations.post(address, {field: limit, "reason": "x"})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])


def test_credit_that_is_used_is_not_taken_away(operations, account):
    asking.set_limits(id=account.id, limits={"credit_limit": Decimal(50)}, request_id="test")
    withdraw(account, "20")
    address = find_address(account, "limits")
    answer = operations.post(address, {"reason": "x"})
    assert "used more credit" in read(answer, 422)
    assert "used more credit" in see(operations, address, reason="x")


def test_an_empty_account_is_closed_for_a_reason_and_another_one_is_not(operations, rich):
    address = find_address(rich, "close")
    assert "its balance and what it holds are zero" in see(operations, address)
    assert operations.post(address, {"reason": "he left"}).status_code == 422
    empty = AccountFactory()
    assert operations.post(find_address(empty, "close"), {"reason": "he left"}).status_code == 302
    empty.refresh_from_db()
    assert (empty.status, empty.status_reason) == ("CLOSED", "he left")


def test_support_sets_no_limits_and_closes_nothing(support, account):
    for name in ("limits", "close"):
        assert support.get(find_address(account, name)).status_code == 403
        assert support.post(find_address(account, name), {"reason": "x"}).status_code == 403


# How forms are read


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1\u202f234.50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1.234.567,8", "1234567.8"),
        ("1 234", "1234"),
        ("1,5", "1.5"),
        ("0,123", "0.123"),
        ("1.234", "1.234"),
        ("1,23,4", "1,23,4"),
        ("1,234,50", "1,234,50"),
        ("1,234 567", "1,234 567"),
        ("\u0661\u0662", "\u0661\u0662"),
    ],
)
def test_a_number_is_read_as_it_was_pasted(text, number):
    assert read_number(text, has_decimal_comma=False) == number
    assert read_number(text, has_decimal_comma=True) == number


def test_what_may_be_thousands_or_a_fraction_is_asked_where_commas_are_for_thousands():
    with pytest.raises(Ambiguous):
        read_number("1,234", has_decimal_comma=False)
    assert read_number("1,234", has_decimal_comma=True) == "1.234"


@pytest.mark.parametrize("text", ["1,234.50 USD", "1\u00a0234,50\u00a0USD", "1 234.50"])
def test_an_amount_as_a_page_shows_it_is_taken(operations, account, text):
    row = deposit(account, "2000")
    asked = {"amount": text, "reason": "x", "identity": new_id()}
    operations.post(reverse_page(row), asked)
    assert Correction.objects.get().amount == Decimal("1234.50")


def test_an_amount_with_another_currency_is_refused():
    form = ReverseForm({"amount": "5 EUR", "reason": "x", "identity": str(new_id())})
    fit(form.fields["amount"], "USD")
    assert "amount" in form.errors


def test_a_reason_is_counted_and_never_cut(operations, account):
    html = read(operations.get(find_address(account, "freeze")))
    assert "maxlength" not in html[html.index('name="reason"') - 800 : html.index('name="reason"') + 800]
    assert "/ 500" in html
    long = "a" * 501
    answer = operations.post(find_address(account, "freeze"), {"reason": long})
    assert long in read(answer, 422)
    assert "at most 500" in str(answer.context["form"].errors)
    lines = "a\r\n" * 250  # a browser counts each end of a line once
    assert operations.post(find_address(account, "freeze"), {"reason": lines}).status_code == 302


def test_a_form_without_a_reason_says_what_it_knows():
    assert CommandForm().read_asked() == {}
