"""How lists and heads of pages look: figures under their headings, names in sight, cards of one height."""

import pytest
from playwright.sync_api import expect

from events import feed, subscriptions
from tests import asking, cast
from tests.browser.steps import come_in, open_page
from tests.office.staff import make_staff
from transactions.models import Transaction

# Of each heading of numbers and the cell below it: where their text ends.
EDGES = """() => {
    const edge = element => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return Math.round(Math.max(...[...range.getClientRects()].map(box => box.right)));
    };
    const heads = [...document.querySelectorAll('#result_list thead th')];
    const cells = document.querySelector('#result_list tbody tr').children;
    return heads.map((head, number) => [head, cells[number]])
        .filter(([head]) => head.classList.contains('column-number'))
        .map(([head, cell]) => [edge(head.querySelector('.text') || head), edge(cell)]);
}"""


@pytest.fixture
def account(transactional_db):
    account = cast.AccountFactory(name="Aleksandra Konstantinopolskaya")
    cast.deposit(account, "5", reference="a reference " + "x" * 150)
    cast.withdraw(account, "5000", reference="too much " + "y" * 150)
    return account


@pytest.fixture
def support(page, transactional_db):
    come_in(page, make_staff("support"))
    return page


@pytest.mark.parametrize("name", ["Accounts", "Transactions"])
def test_numbers_stand_under_their_headings(support, account, name):
    open_page(support, name)
    edges = support.evaluate(EDGES)
    assert len(edges) == 2
    assert all(abs(head - cell) <= 2 for head, cell in edges), edges


def test_a_long_reference_leaves_the_names_in_sight_and_they_lead_to_the_customer(support, account):
    open_page(support, "Transactions")
    for row in support.locator("#result_list tbody tr").all():
        name = row.get_by_role("link", name="Aleksandra Konstantinopolskaya")
        assert name.locator("bdi").bounding_box()["width"] >= 100
        assert name.get_attribute("href") == f"/admin/accounts/user/{account.user_id}/change/"
    why = support.get_by_text("The account has less available than the withdrawal requires.", exact=True).last
    assert 60 < why.bounding_box()["width"] <= 150
    assert why.get_attribute("title") == why.text_content()


def test_a_long_reason_makes_no_figure_of_the_head_high(support, account):
    asking.freeze(id=account.id, reason="a long reason " * 35, request_id="test")
    support.goto(f"/admin/accounts/account/{account.id}/change/")
    expect(support.get_by_text("a long reason").first).to_be_visible()
    heights = [box.bounding_box()["height"] for box in support.locator(".office-amounts > div").all()]
    assert len(heights) == 5
    assert max(heights) < 130


def test_a_label_stands_in_the_line_of_its_row(support, account, settings):
    settings.WEBHOOK_LOOPBACK = True
    subscriptions.create(kind="webhook", url="http://127.0.0.1:1/", caller=cast.CALLER)
    feed.place_pending()
    support.goto(f"/admin/transactions/transaction/{Transaction.objects.earliest('recorded_at').id}/change/")
    label, event = support.locator(".office-deliveries span").first, support.get_by_text("transaction.posted")
    assert abs(label.bounding_box()["y"] - event.bounding_box()["y"]) < 10
