"""Many transactions reversed at once: chosen in a list, seen with their numbers, for one reason, by two."""

from decimal import Decimal

import pytest

from tests.cast import AccountFactory, UserFactory, deposit, new_id, transfer, withdraw
from tests.office.account_pages import ESCAPED, PROBE, find_address, read_text
from tests.office.answers import FORGED_IDS, find_accesses, hear, read
from tests.office.correcting import LIST, balance, page
from tests.office.staff import make_staff, open_office
from transactions.models import Correction, Transaction

TRANSACTIONS = "/admin/transactions/transaction/"
BOXES = 'name="_selected_action"'
TOGETHER = f"{TRANSACTIONS}reverse-together/"


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.APPROVAL_ABOVE = {"USD": Decimal(100), "JPY": Decimal(1000)}


@pytest.fixture
def office(first):
    return open_office(first)


def choose(client, *rows):
    """As by the boxes of a statement."""
    return client.post(TOGETHER, {"_selected_action": [str(row.id) for row in rows]})


def send(client, *rows, identity=None, reason="a file sent twice", follow=True):
    ids = " ".join(str(row.id) for row in rows)
    asked = {"rows": ids, "identity": identity or new_id(), "reason": reason}
    return client.post(TOGETHER, asked, follow=follow)


def test_what_is_chosen_in_the_list_is_shown_with_its_numbers_and_their_sum(office, account):
    yen = AccountFactory(currency="JPY", name="Kenji")
    rows = [deposit(account, "10", reference="one"), deposit(account, "20"), deposit(yen, "700")]
    asked = {"action": "reverse_chosen", "_selected_action": [str(row.id) for row in rows]}
    html = read(office.post(TRANSACTIONS, asked))
    text = read_text(html)
    for part in ("2 transactions 30.00 USD", "1 transaction 700 JPY", "petya", "Kenji", "one"):
        assert part in text
    for part in ("-20.00 USD 30.00 USD 10.00 USD would be posted", "-700 JPY 700 JPY 0 JPY would be posted"):
        assert part in text
    assert " ".join(str(row.id) for row in reversed(rows)) in html
    assert not Correction.objects.exists()
    assert balance(account) == 30
    assert [each.detail for each in find_accesses(subject="transaction")][-1] == (
        "reverse-together, 3 transactions"
    )


def test_all_that_a_list_shows_is_chosen_at_once(office, account):
    rows = [deposit(account, "1") for _ in range(3)]
    asked = {"action": "reverse_chosen", "_selected_action": [str(rows[0].id)], "select_across": "1"}
    html = read(office.post(TRANSACTIONS, asked))
    assert all(str(row.id) in html for row in rows)


def test_a_small_list_is_reversed_for_one_reason(office, first, account):
    rows = [deposit(account, "10"), deposit(account, "20")]
    text = read(send(office, *rows))
    assert "2 transactions were reversed." in text
    assert balance(account) == 0
    assert {row.metadata["reason"] for row in Transaction.objects.filter(reverses__isnull=False)} == {
        "a file sent twice"
    }
    told = find_accesses(action="CHANGE")
    assert [(each.type, each.actor, each.reason) for each in told] == [
        ("correction.posted", first.id, "a file sent twice")
    ] * 2
    listed = read_text(read(office.get(f"{LIST}?state=all")))
    assert "2 transactions" in listed
    assert listed.count("a file sent twice") == 1


def test_above_the_limit_a_second_person_sees_each_and_approves_once(office, first, second, account):
    rows = [deposit(account, "60"), deposit(account, "70")]
    assert "waits for a second person" in read(send(office, *rows))
    assert balance(account) == 130
    [one, two] = Correction.objects.order_by("place")
    assert page(one, "approve") not in read(office.get(page(one)))
    assert office.post(page(one, "approve")).status_code == 403
    other = open_office(second)
    queue = read_text(read(other.get(LIST)))
    assert "2 transactions" in queue
    assert queue.count("a file sent twice") == 1
    for address in (page(one), page(one, "approve")):
        text = read_text(read(other.get(address)))
        for part in ("2 transactions 130.00 USD", "-60.00 USD 130.00 USD 70.00 USD would be posted", "petya"):
            assert part in text, address
    # Another one of the list leads to it, and is not decided alone.
    assert page(one) in read(other.get(page(two)))
    assert page(two, "approve") not in read(other.get(page(two)))
    assert "2 transactions were reversed." in read(other.post(page(one, "approve"), follow=True))
    assert balance(account) == 0
    assert {(each.status, each.checker) for each in Correction.objects.all()} == {("POSTED", second)}
    assert "This was decided already." in read(other.post(page(one, "approve")), 422)


def test_what_the_ledger_declines_is_foreseen_and_listed_with_its_reason(office, account):
    poor = AccountFactory(name="Boris")
    rows = [deposit(account, "10"), deposit(poor, "20")]
    withdraw(poor, "20")
    foreseen = read_text(read(choose(office, *rows)))
    assert "1 of them would be declined by the ledger" in foreseen
    assert "declined The account has less available" in foreseen
    text = read_text(read(send(office, *rows)))
    assert "1 of 2 were reversed" in text
    assert "1 of them was declined by the ledger" in text
    assert "declined The account has less available" in text
    assert "posted in part" in read_text(read(office.get(f"{LIST}?state=all")))
    assert (balance(account), balance(poor)) == (0, 0)


def test_what_cannot_be_reversed_is_named_and_left_out(office, account):
    row, declined = deposit(account, "10"), withdraw(account, "99")
    html = read(choose(office, row, declined))
    assert "They are left out" in html
    assert f'value="{row.id}"' in html
    assert str(declined.id) in html
    only = read(choose(office, declined))
    assert 'name="rows"' not in only
    assert "Only a posted transaction" in read(send(office, row, declined), 422)
    assert balance(account) == 10


def test_a_transfer_chosen_by_both_legs_is_reversed_once(office, account):
    other = AccountFactory()
    deposit(account, "20")
    legs = Transaction.objects.filter(transfer=transfer(account, other, "20").id)
    assert "1 transaction 20.00" in read_text(read(choose(office, *legs))).replace("\xa0", " ")
    assert "1 transaction was reversed." in read(send(office, *legs))
    assert (balance(account), balance(other)) == (20, 0)


def test_the_same_form_sent_twice_reverses_once(office, account):
    rows, identity = [deposit(account, "10"), deposit(account, "20")], new_id()
    for _ in range(3):
        assert "2 transactions were reversed." in read(send(office, *rows, identity=identity))
    assert Correction.objects.count() == 2
    assert "sent before, with other contents" in read(send(office, rows[0], identity=identity), 422)
    assert balance(account) == 0


@pytest.mark.parametrize("reason", ["", " ", "a\x00b", "a\u202eb", "a" * 501])
def test_a_reason_that_is_none_reverses_nothing_and_keeps_what_was_chosen(office, account, reason):
    row = deposit(account, "10")
    html = read(send(office, row, reason=reason), 422)
    assert f'value="{row.id}"' in html
    assert balance(account) == 10


def test_nothing_odd_that_is_chosen_breaks_it(office, account):
    row = deposit(account, "10")
    for id in (*FORGED_IDS, "", "\x00", str(new_id())):
        assert office.post(TOGETHER, {"_selected_action": id}).status_code in (200, 302), id
        asked = {"rows": f"{row.id} {id}", "reason": "x", "identity": "x"}
        assert office.post(TOGETHER, asked).status_code == 422, id
        listed = {"action": "reverse_chosen", "_selected_action": [id]}
        assert office.post(TRANSACTIONS, listed).status_code in (200, 302), id
    unknown = {"rows": f"{row.id} {new_id()}", "reason": "x", "identity": new_id()}
    assert office.post(TOGETHER, unknown).status_code == 422
    many = {"_selected_action": [str(new_id()) for _ in range(900)], "rows_": "x"}
    assert office.post(TOGETHER, many).status_code in (200, 302)
    too_many = {"rows": " ".join(str(new_id()) for _ in range(1001)), "reason": "x", "identity": new_id()}
    assert office.post(TOGETHER, too_many).status_code == 302
    assert office.get(TOGETHER).status_code == 302
    assert balance(account) == 10
    assert not Correction.objects.exists()


def test_names_and_references_are_shown_and_not_run(office):
    person = UserFactory(name=PROBE).accounts.get()
    html = read(choose(office, deposit(person, "1", reference=PROBE)))
    assert PROBE not in html
    assert html.count(ESCAPED) >= 2


def test_only_who_may_reverse_sees_boxes_and_is_answered(office, account):
    row = deposit(account, "10")
    box = f'name="_selected_action" value="{row.id}"'
    assert box in read(office.get(find_address(account)))
    assert BOXES in read(office.get(TRANSACTIONS))
    support = open_office(make_staff("support"))
    assert box not in read(support.get(find_address(account)))
    assert BOXES not in read(support.get(TRANSACTIONS))
    assert choose(support, row).status_code == 403
    assert send(support, row).status_code == 403
    asked = {"action": "reverse_chosen", "_selected_action": [str(row.id)]}
    assert "reverse-together" not in read(support.post(TRANSACTIONS, asked, follow=True))
    assert balance(account) == 10


def test_in_russian_too(office, account):
    office.cookies["django_language"] = "ru"
    text = read(send(office, deposit(account, "10")))
    assert "was reversed" not in text
    assert hear(choose(office)) != ""


def test_it_costs_the_same_queries_however_many_are_chosen(office, account, django_assert_max_num_queries):
    rows = [deposit(account, "1") for _ in range(60)]
    with django_assert_max_num_queries(40):
        assert choose(office, *rows[:1]).status_code == 200
    with django_assert_max_num_queries(40):
        assert choose(office, *rows).status_code == 200
