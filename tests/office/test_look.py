"""How the pages look to who opens them: whose they are, what colours say, what is there first."""

import re
from collections import Counter
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.admin import site
from django.db.models import TextChoices

from accounts.models import Account, Claim, Erasure, Hold
from events.deliveries import DeliveryState
from events.models import RecordEntry, Subscription
from office.templatetags.ledger import COLOURS, available_now, bdi
from tests import asking, cast, fonts
from tests.office.things import find_id, make_things
from tests.servers import PROJECT
from transactions.models import Correction, Transaction
from transactions.posting.commands import Reversal


def reverse(row, amount):
    asking.ask(Reversal(id=cast.new_id(), reason="wrong", rows=[row], amount=Decimal(amount)))
    return Transaction.objects.filter(reverses=row.id).latest("recorded_at")


ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{15}")
STATUSES = (Account, Transaction, Hold, Claim, Correction, Erasure, Subscription)


def read_names(client, address):
    """What stands in the browser's tab, and in the heading."""
    html = client.get(address).content.decode()
    isolates = str.maketrans("", "", "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}")
    return [
        unescape(re.sub(r"<[^>]+>", "", re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", html, re.DOTALL)[1]))
        .strip()
        .translate(isolates)
        for tag in ("title", "h1")
    ]


def test_tabs_and_headings_are_names_and_no_ids(superuser):
    things = make_things()
    account = cast.UserFactory(name="Иван Петров").accounts.get()
    row = cast.deposit(account, "12.50")
    for model, thing in things.items():
        for name in read_names(superuser, f"/admin/{model}/{find_id(thing)}/change/"):
            assert model == "accounts/token" or not ID.search(name), name
        title, heading = read_names(superuser, f"/admin/{model}/")
        assert title == f"{heading} | Ledger"
        assert "Select" not in heading
    title, heading = read_names(superuser, f"/admin/accounts/account/{account.id}/change/")
    assert heading == "Иван Петров – main USD"
    assert title == "Иван Петров – main USD | Account | Ledger"
    _title, heading = read_names(superuser, f"/admin/transactions/transaction/{row.id}/change/")
    assert heading.startswith("Deposit 12.50\N{NO-BREAK SPACE}USD – Иван Петров – ")


@pytest.mark.parametrize("model", STATUSES, ids=lambda model: model.__name__)
def test_every_status_has_its_colour(model):
    assert [each for each in model.Status.values if each not in COLOURS] == []


@pytest.mark.parametrize("choices", [DeliveryState, RecordEntry.Action], ids=lambda choices: choices.__name__)
def test_what_else_is_labelled_has_its_colour(choices: type[TextChoices]):
    assert [each for each in choices.values if each not in COLOURS] == []


def test_colours_of_labels_are_in_the_one_table():
    """No template and no page has one of its own."""
    own = re.compile(
        r"""label\.html"(?![^%]*\btype=[\w.]+\|colour)(?![^%]*\btype="\w+"\|colour)[^%]*%\}|label=\{"""
    )
    sources = [*(PROJECT / "templates").rglob("*.html"), *(PROJECT / "office").rglob("*.py")]
    assert [path.name for path in sources if own.search(path.read_text())] == []


def test_what_is_declined_is_red_and_what_is_posted_is_green(support):
    account = cast.AccountFactory()
    rows = cast.deposit(account, "5"), cast.withdraw(account, "50")
    pages = [
        support.get(f"/admin/transactions/transaction/{row.id}/change/").content.decode() for row in rows
    ]
    for page, colour in zip(pages, ("bg-green-100", "bg-red-100"), strict=True):
        figures = page[page.index("office-amounts") : page.index("office-fields")]
        assert colour in figures


def test_a_reversed_transaction_says_so_and_leads_to_its_reversal(support):
    account = cast.AccountFactory()
    row = cast.deposit(account, "100")
    url = f"/admin/transactions/transaction/{row.id}/change/"
    assert "office-warning" not in support.get(url).content.decode()
    part = reverse(row, "30")
    page = support.get(url).content.decode()
    banner = re.search(r'<p class="office-warning".*?</p>', page, re.DOTALL)[0]
    assert "30.00\N{NO-BREAK SPACE}USD of this was reversed; 70.00\N{NO-BREAK SPACE}USD is left." in banner
    assert f"/admin/transactions/transaction/{part.id}/change/" in banner
    reverse(row, "70")
    assert "all of its 100.00\N{NO-BREAK SPACE}USD" in support.get(url).content.decode()


def test_of_a_frozen_account_nothing_is_available(support):
    account = cast.AccountFactory()
    cast.deposit(account, "900")
    asking.freeze(id=account.id, reason="Stolen card.", request_id="test")
    page = support.get(f"/admin/accounts/account/{account.id}/change/").content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ").split())
    assert "Available 0.00 USD frozen; else 900.00 USD" in text
    assert "The account is frozen: no money goes out" in text
    assert "Reason: Stolen card." in text
    account = Account.objects.with_held_due().get(id=account.id)
    assert (available_now(account), account.available) == (0, 900)


def test_the_statement_stands_before_the_time_machine_unless_that_is_used(support):
    account = cast.AccountFactory()
    cast.deposit(account, "900")
    url = f"/admin/accounts/account/{account.id}/change/"
    page = support.get(url).content.decode()
    assert page.index('id="statement"') < page.index('id="time-machine"') < page.index('id="course"')
    page = support.get(url, {"at": "2025-01-01T00:00"}).content.decode()
    assert page.index('id="time-machine"') < page.index('id="statement"')


def test_ids_and_hashes_are_folded_away(support):
    row = cast.deposit(cast.AccountFactory(), "5")
    page = support.get(f"/admin/transactions/transaction/{row.id}/change/").content.decode()
    folded = page[page.index("<details") : page.index("</details>")]
    for text in (str(row.id), "Chain hash", "Request id", "Number in the account"):
        assert text in folded
        assert text not in page.replace(folded, "")[page.index("office-amounts") :].split("Deliveries")[0]


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("transactions/correction/", "Nothing waits for approval."),
        ("transactions/auditrun/", "Nothing was audited yet."),
        ("accounts/claim/", "No claims."),
        ("accounts/user/?q=nobody+of+this+name", "Nothing fits."),
    ],
)
def test_an_empty_list_says_what_is_not_there(superuser, page, sentence):
    html = superuser.get(f"/admin/{page}").content.decode()
    assert sentence in html
    assert "yielded" not in html


def test_what_is_not_there_is_said_where_one_looked_for_it(superuser):
    answer = superuser.get("/admin/accounts/account/nothing/change/", follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/accounts/account/"
    assert "Not found: account “nothing”." in answer.content.decode()


def test_a_long_name_can_be_read_by_pointing_at_it():
    name = "A" * 150
    assert bdi(name) == f'<bdi title="{name}">{name}</bdi>'
    assert bdi('<b>"') == "<bdi>&lt;b&gt;&quot;</bdi>"


def test_the_sidebar_and_the_way_back_have_one_name(superuser):
    things = make_things()
    for model in ("transactions/auditrun", "accounts/staff", "events/recordentry"):
        html = superuser.get(f"/admin/{model}/{find_id(things[model])}/change/").content.decode()
        crumb = re.search(r'<nav class="office-crumb".*?</nav>', html, re.DOTALL)[0]
        way, name = re.search(r'<a href="([^"]+)">([^<]+)</a>', crumb).groups()
        assert way == f"/admin/{model}/"
        sidebar = html[html.index('id="nav-sidebar-apps"') : html.index('id="main"')]
        assert f"<span>{name}</span>" in sidebar


@pytest.mark.parametrize(
    "model", sorted(f"{each._meta.app_label}/{each._meta.model_name}" for each in site._registry)
)
def test_no_two_elements_have_the_same_id(superuser, model):
    """A label would name the first one twice, and the other one never."""
    ids = re.findall(r'\sid="([^"]+)"', superuser.get(f"/admin/{model}/").content.decode())
    assert len(ids) > 5
    assert [each for each, count in Counter(ids).items() if count > 1] == []


def test_a_page_without_commands_has_no_menu_of_them(support):
    row = cast.deposit(cast.AccountFactory(), "5")
    held = cast.hold(row.account, "1")
    assert "office-actions" not in support.get(f"/admin/accounts/hold/{held.id}/change/").content.decode()
    html = support.get(f"/admin/accounts/account/{row.account_id}/change/").content.decode()
    assert "office-actions" in html


def test_only_a_page_with_a_chart_loads_what_draws_charts(superuser):
    account = cast.AccountFactory()
    cast.deposit(account, "5")
    address = f"/admin/accounts/account/{account.id}/change/"
    loads = {url: "chart.js" in superuser.get(url).content.decode() for url in (
        "/admin/", address, f"{address}?show=holds", "/admin/accounts/user/", "/admin/find/"
    )}  # fmt: skip
    assert [url for url, is_loaded in loads.items() if is_loaded] == ["/admin/", address]


def test_only_what_a_page_needs_holds_up_its_first_sight(superuser):
    """No script of Django's for editing, none that does not wait, htmx where figures follow what is typed."""
    account = cast.AccountFactory()
    cast.deposit(account, "5")
    page = f"/admin/accounts/account/{account.id}"
    addresses = (
        f"{page}/adjust/",
        f"{page}/freeze/",
        "/admin/transactions/transaction/",
        "/admin/accounts/user/",
    )
    scripts = [
        re.findall(r"<script [^>]*src=[^>]*>", superuser.get(url).content.decode()) for url in addresses
    ]
    assert [tag for tags in scripts for tag in tags if "defer" not in tag] == []
    assert [any("htmx.js" in tag for tag in tags) for tags in scripts] == [True, False, False, False]
    names = [
        {tag.split("admin/js/")[1].split('"')[0] for tag in tags if "admin/js/" in tag} for tags in scripts
    ]
    assert names == [set(), set(), {"actions.js"}, set()]


def test_the_cut_font_has_every_icon_that_pages_show():
    assert fonts.find_icons() - fonts.list_icons() == set(), "run: python -m tests.fonts"
    assert len(fonts.find_icons()) > 15
