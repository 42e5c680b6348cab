"""Find: one box for whatever somebody has, and a form for an Idempotency-Key."""

import pytest
from django.contrib.auth.models import Permission

from accounts import operations
from accounts.idempotency import derive_id
from accounts.models import User
from tests.cast import CALLER, AccountFactory, UserFactory, day, deposit, hold, new_id, transfer
from tests.claims import claim
from tests.database import execute
from tests.office.answers import count_queries, find_accesses
from tests.office.correcting import adjust
from tests.office.staff import make_staff, open_office
from tests.searching import follow
from transactions import search
from transactions.models import Transaction
from transactions.search import finding

FIND = "/admin/find/"


def look(support, words):
    return support.get(FIND, {"q": str(words)})


def read_page(kind, id):
    return f"/admin/{kind}/{id}/change/"


def test_the_id_of_one_thing_leads_to_its_page(support, account):
    funds = deposit(account, "50")
    held = hold(account, "10")
    for kind, id in [
        ("accounts/user", account.user_id),
        ("accounts/account", account.id),
        ("transactions/transaction", funds.id),
        ("accounts/hold", held.id),
    ]:
        answer = look(support, f"  {id} ")
        assert (answer.status_code, answer["Location"]) == (302, read_page(kind, id))


def test_the_id_of_a_correction_finds_it_and_the_transaction_it_became(support, account, first):
    correction = adjust(account, "5", first)
    text = look(support, correction.id).content.decode()
    assert read_page("transactions/correction", correction.id) in text
    assert read_page("transactions/transaction", correction.id) in text


def test_the_id_of_a_transfer_finds_both_legs(support):
    source, destination = AccountFactory(), AccountFactory()
    deposit(source, "9")
    withdrawal = transfer(source, destination, "9")
    text = look(support, withdrawal.id).content.decode()
    for leg in Transaction.objects.filter(transfer=withdrawal.id):
        assert read_page("transactions/transaction", leg.id) in text


def test_an_external_id_finds_its_user_in_any_case_and_by_a_part(support):
    user = UserFactory(name="Masha", external_id="crm-17")
    assert read_page("accounts/user", user.id) in look(support, "crm-17").content.decode()
    assert "Nothing was found" in look(support, "CRM").content.decode()
    follow()
    assert read_page("accounts/user", user.id) in look(support, "CRM").content.decode()
    assert "Nothing was found" in look(support, "crm-18").content.decode()


@pytest.mark.parametrize("words", ["ива", "ПЕТРОВ", "Петорв", "петров иван"])
def test_any_word_of_a_name_finds_whoever_is_called_so(support, words):
    user = UserFactory(name="Иван Сергеевич Петров")
    other = UserFactory(name="Сидоров Семён")
    follow()
    text = look(support, words).content.decode()
    assert read_page("accounts/user", user.id) in text
    assert str(other.id) not in text


def test_beside_each_namesake_stands_what_they_have_and_when_it_moved(support):
    rich, poor = (AccountFactory(name=f"Petrov {name}") for name in ("Rich", "Poor"))
    deposit(rich, "1234.5", effective_at=day("2026-10-24T10:00"))
    follow()
    text = look(support, "petrov").content.decode()
    assert "1,234.50\N{NO-BREAK SPACE}USD" in text
    assert 'datetime="2026-10-24T10:00:00.000000Z"' in text
    for account in (rich, poor):
        assert read_page("accounts/account", account.id) in text


def test_of_somebody_with_many_accounts_it_says_that_there_are_more(support):
    user = UserFactory(name="Petrov")
    for number in range(12):
        operations.create_account(user_id=user.id, currency="EUR", name=f"pot {number}", caller=CALLER)
    follow()
    text = look(support, "petrov").content.decode()
    assert text.count("/admin/accounts/account/0") == 3
    assert "and more accounts" in text


JOSES = ("Ｊｏｓé", "JOSE\u0301", "josé")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((name, words) for name in JOSES for words in JOSES),
        ("ΝΙΚΟΣ", "νικος"),
        ("ﬁnal", "FINAL"),
        ("علی\u200cرضا", "علیرضا"),
        ("علیرضا", "علی\u200cرضا"),
        ("グループ", "ｸﾞﾙ"),
        ("Ω Ltd", "\u2126 ltd"),
    ],
)
def test_a_name_is_found_however_it_is_composed_and_shown_as_it_was_sent(support, name, words):
    user, other = UserFactory(name=name), UserFactory(name="xyz" + name)
    follow()
    text = look(support, words).content.decode()
    assert read_page("accounts/user", user.id) in text
    assert f"<bdi>{name}</bdi>" in text
    assert str(other.id) not in text
    assert str(user.id) in support.get("/admin/accounts/user/", {"q": words}).content.decode()


def test_the_characters_of_patterns_mean_themselves(support):
    user = UserFactory(name="100% Ltd")
    follow()
    for words in ["%", "_", "1_0", "20%", "\\", "'", '"; --', "00%"]:
        assert "Nothing was found" in look(support, words).content.decode(), words
    assert str(user.id) in look(support, "100%").content.decode()


def test_twenty_namesakes_are_on_a_page_and_it_says_of_how_many(support):
    ids = {str(UserFactory(name=f"Anna {number:02}").id) for number in range(32)}
    follow()
    first = look(support, "anna").content.decode()
    assert "1–20 of 32 shown" in first
    second = support.get(FIND, {"q": "anna", "people": "1"}).content.decode()
    assert "21–32 of 32 shown" in second
    shown = [{id for id in ids if read_page("accounts/user", id) in text} for text in (first, second)]
    assert [len(each) for each in shown] == [20, 12]
    assert shown[0] | shown[1] == ids
    assert "?q=anna&amp;people=1" in first
    assert "?q=anna&amp;people=0" in second
    last = support.get(FIND, {"q": "anna", "people": "999"}).content.decode()
    assert "21–32 of 32 shown" in last


def test_of_more_than_it_tells_apart_it_says_so(support, monkeypatch):
    monkeypatch.setattr(finding, "FOUND_MAX", 3)
    for number in range(4):
        UserFactory(name=f"Anna {number}")
    follow()
    assert "1–3 of more than 3" in look(support, "anna").content.decode()


def test_a_reference_finds_its_transactions_newest_first(support, account):
    rows = [deposit(account, "1", reference="INV-7") for _ in range(22)]
    other = deposit(account, "1", reference="JOB-70")
    text = look(support, "INV-7").content.decode()
    assert [row.id for row in rows if str(row.id) in text] == [row.id for row in rows[2:]]
    follow()
    text = look(support, "inv-7").content.decode()
    assert [row.id for row in rows if str(row.id) in text] == [row.id for row in rows[2:]]
    assert "1–20 of 22 shown" in text
    assert str(other.id) not in text


def test_transactions_and_holds_show_whose_they_are_and_of_which_account(support, account):
    row = deposit(account, "50", reference="card 4455", effective_at=day("2026-10-24T10:00"))
    placed = hold(account, "7", reference="hotel booking 77")
    follow()
    for words, page in [
        ("4455", read_page("transactions/transaction", row.id)),
        ("50.00 on 25 Oct 2026", read_page("transactions/transaction", row.id)),
        ("50,00 24.10.2026", read_page("transactions/transaction", row.id)),
        ("booking 77", read_page("accounts/hold", placed.id)),
    ]:
        text = look(support, words).content.decode()
        assert page in text, words
        assert read_page("accounts/account", account.id) in text
        assert read_page("accounts/user", account.user_id) in text


def make_behind(*, seconds):
    """The last event has waited so long for the follower."""
    execute(
        "INSERT INTO events_pending (recorded_at, stream, sequence)"
        " SELECT clock_timestamp() - make_interval(secs => %s), stream, sequence FROM events_event LIMIT 1",
        seconds,
    )


def test_it_says_up_to_when_it_knows(support, account):
    follow()
    assert "The search knows" not in look(support, "anna").content.decode()
    make_behind(seconds=6)
    assert "The search knows what happened up to" in look(support, "anna").content.decode()


def test_it_says_that_it_is_being_made_anew(support, account):
    follow()
    search.begin_rebuilding()
    assert "being made anew" in look(support, "anna").content.decode()


def test_whoever_may_not_see_transactions_or_users_finds_none(account):
    deposit(account, "5", reference="card 4455")
    follow()
    member = make_staff()
    member.user_permissions.add(Permission.objects.get(codename="view_account"))
    browser = open_office(member)
    for words in ("petya", "card 4455"):
        assert "Nothing was found" in look(browser, words).content.decode()


def test_a_key_of_a_caller_finds_what_it_stands_for(support, account):
    caller = User.objects.create_user(username="engine", name="The engine")
    funds = deposit(account, "5", id=derive_id(caller.id, "order 7"))
    for words in ("engine", str(caller.id)):
        text = support.get(FIND, {"caller": words, "key": "order 7"}).content.decode()
        assert read_page("transactions/transaction", funds.id) in text


def test_a_key_that_was_never_used_shows_the_id_it_stands_for(support, petya):
    text = support.get(FIND, {"caller": petya.id, "key": " order 8"}).content.decode()
    assert str(derive_id(petya.id, " order 8")) in text
    assert "Nothing has this id" in text


@pytest.mark.parametrize(
    ("caller", "key"),
    [("nobody", "k"), ("", "k"), ("petya", ""), ("\x00", "k"), ("petya", "\x00"), ("petya", "ключ")],
)
def test_a_caller_or_key_that_cannot_be_is_told(support, caller, key):
    User.objects.create_user(username="petya")
    answer = support.get(FIND, {"caller": caller, "key": key})
    assert answer.status_code == 200
    assert "errors" in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=",
        "q=%20",
        "q=%00",
        "q=a%00b",
        "q=" + "a" * 10_000,
        "q=%25",
        "q=%FF",
        "q=a&q=b",
        "key=",
        "x=1",
        "q=%F4%8F%BF%BF",
    ],
)
def test_whatever_is_asked_is_answered(support, query):
    assert support.get(f"{FIND}?{query}").status_code == 200


def test_words_cost_the_same_however_much_they_find(support, account):
    def find_more(count):
        for _ in range(count):
            deposit(account, "1", reference="INV-7")
            hold(account, "0.01", reference="INV-7")
            UserFactory(name="INV-7 Ltd")
        follow()
        return count_queries(support, FIND, q="INV-7")

    find_more(1)
    before = find_more(1)
    assert find_more(30) <= before <= 25


def test_an_id_costs_the_same_whatever_it_finds(support, account):
    funds = deposit(account, "5")
    owed = claim(AccountFactory(), "1").id
    ids = [funds.id, hold(account, "1").id, owed, account.id, account.user_id]
    counts = {count_queries(support, FIND, q=id) for id in ids}
    assert len(counts) == 1
    assert max(counts) <= 20
    assert count_queries(support, FIND, q=new_id()) <= 27  # it may be an external id or a reference


def test_a_search_is_recorded_with_its_words(superuser, boss):
    look(superuser, "Ivan")
    superuser.get(FIND, {"caller": "engine", "key": "k-1"})
    assert [access.detail for access in find_accesses(action="SEARCH", actor=boss.pk)] == [
        "Ivan",
        "engine k-1",
    ]


def test_nobody_finds_without_the_permission_to_look(db):
    assert look(open_office(make_staff()), "a").status_code == 403
