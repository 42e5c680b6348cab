"""Find: one box for whatever somebody has, and a form for an Idempotency-Key."""

import pytest

from accounts.idempotency import derive_id
from accounts.models import User
from tests.cast import AccountFactory, UserFactory, deposit, hold, new_id, transfer
from tests.claims import claim
from tests.office.answers import count_queries, find_accesses
from tests.office.correcting import adjust
from tests.office.staff import make_staff, open_office
from transactions.models import Transaction

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


def test_an_external_id_finds_its_user_and_only_whole(support):
    user = UserFactory(name="Masha", external_id="crm-17")
    assert read_page("accounts/user", user.id) in look(support, "crm-17").content.decode()
    assert "Nothing was found" in look(support, "crm-1").content.decode()


@pytest.mark.parametrize("words", ["ива", "ИВАН", "Иван П"])
def test_the_start_of_a_name_finds_whoever_is_called_so(support, words):
    user = UserFactory(name="Иван Петров")
    other = UserFactory(name="Петров Иван")
    text = look(support, words).content.decode()
    assert read_page("accounts/user", user.id) in text
    assert str(other.id) not in text


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
    user, other = UserFactory(name=name), UserFactory(name="x" + name)
    text = look(support, words).content.decode()
    assert read_page("accounts/user", user.id) in text
    assert f"<bdi>{name}</bdi>" in text
    assert str(other.id) not in text
    assert str(user.id) in support.get("/admin/accounts/user/", {"q": words}).content.decode()


def test_the_characters_of_patterns_mean_themselves(support):
    user = UserFactory(name="100% Ltd")
    for words in ["%", "_", "1_0", "10%", "\\", "'", '"; --', "100%_"]:
        assert "Nothing was found" in look(support, words).content.decode(), words
    assert str(user.id) in look(support, "100%").content.decode()


def test_at_most_twenty_namesakes_are_shown(support):
    for _ in range(21):
        UserFactory(name="Anna")
    assert look(support, "anna").content.decode().count("/admin/accounts/user/0") == 20


def test_a_reference_finds_its_newest_twenty_transactions(support, account):
    rows = [deposit(account, "1", reference="INV-7") for _ in range(22)]
    deposit(account, "1", reference="INV-70")
    text = look(support, "INV-7").content.decode()
    shown = [row.id for row in rows if str(row.id) in text]
    assert shown == [row.id for row in rows[2:]]
    assert "INV-70" not in text


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


def test_words_cost_the_same_whatever_they_find(support, account):
    before = count_queries(support, FIND, q="INV-7")
    for _ in range(30):
        deposit(account, "1", reference="INV-7")
        UserFactory(name="INV-7 Ltd")
    UserFactory(external_id="INV-7")
    assert count_queries(support, FIND, q="INV-7") == before <= 15


def test_an_id_costs_the_same_whatever_it_finds(support, account):
    funds = deposit(account, "5")
    owed = claim(AccountFactory(), "1").id
    ids = [new_id(), funds.id, hold(account, "1").id, owed, account.id, account.user_id]
    counts = {count_queries(support, FIND, q=id) for id in ids}
    assert len(counts) == 1
    assert max(counts) <= 20


def test_a_search_is_recorded_with_its_words(superuser, boss):
    look(superuser, "Ivan")
    superuser.get(FIND, {"caller": "engine", "key": "k-1"})
    assert [access.detail for access in find_accesses(action="SEARCH", actor=boss.pk)] == [
        "Ivan",
        "engine k-1",
    ]


def test_nobody_finds_without_the_permission_to_look(db):
    assert look(open_office(make_staff()), "a").status_code == 403
