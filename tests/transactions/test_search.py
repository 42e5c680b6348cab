"""People are found as they are named, money by parts of what stands on it, or by its amount and day."""

from datetime import date
from decimal import Decimal

import pytest

from accounts import operations
from accounts.models import Hold
from tests.cast import CALLER, AccountFactory, UserFactory, day, hold, transfer, withdraw
from tests.searching import NOW, find_names, find_references, follow
from transactions import search
from transactions.search import folding, questions

pytestmark = pytest.mark.django_db

IVAN = "Иван Сергеевич Петров"


@pytest.fixture
def people():
    UserFactory(name=IVAN, metadata={"email": "Ivan.Petrov@Example.com", "phone": "+7 (912) 345-67-89"})
    UserFactory(name="Petrov, Alexander", external_id="CUST-100235")
    UserFactory(name="Petrova Anna", external_id="crm-17", metadata={"phone": "+44 20 7946 0958"})
    UserFactory(name="Zoë O'Neill-Müller", metadata={"note": "zoe@example.com"})
    UserFactory(name="Alexander Ivanov")
    follow()


@pytest.mark.parametrize(
    "words",
    [
        "Петров",
        "петров",
        "ПЕТРОВ ИВАН",
        "Петорв",
        "Петрв",
        "Петрров",
        "Пётров",
        "Иваан Петрво",
        "сергеевич иван",
        "Серг",
    ],
)
def test_a_person_is_found_by_any_word_of_the_name_with_one_error(people, words):
    assert find_names(words) == [IVAN]


@pytest.mark.parametrize("words", ["Пт", "Птрв", "Сидоров", "Иван Сидоров", "Иан Птрв", "ёж%", "_", "''"])
def test_nobody_is_found_by_words_that_are_others(people, words):
    assert find_names(words) == []


@pytest.mark.parametrize(
    "words", ["zoe", "ZOË", "oneill", "o'neill", "O\u2019Neill", "muller zoe", "neill", "mueller"]
)
def test_accents_apostrophes_and_hyphens_make_no_difference(people, words):
    assert find_names(words) == ["Zoë O'Neill-Müller"]


def test_whole_words_come_before_starts_and_these_before_errors(people):
    UserFactory(name="Pavel Petrow")
    follow()
    assert find_names("petrov") == ["Petrov, Alexander", "Petrova Anna", "Pavel Petrow"]
    assert find_names("alexander") == ["Alexander Ivanov", "Petrov, Alexander"]


@pytest.mark.parametrize(
    "words",
    [
        "ivan.petrov@example.com",
        "IVAN.PETROV@EXAMPLE.COM",
        "+7 912 345-67-89",
        "8 (912) 3456789",
        "345 67 89",
    ],
)
def test_a_person_is_found_by_e_mail_and_phone_however_it_is_grouped(people, words):
    assert find_names(words) == [IVAN]


@pytest.mark.parametrize(
    "words", ["zoe@example.com", "ivan.petrov@example.org", "912 345-67-88", "+1 912 345"]
)
def test_other_addresses_and_numbers_find_nobody(people, words):
    assert find_names(words) == []


def test_the_keys_of_metadata_are_those_of_the_setting(settings, people):
    settings.SEARCH_CONTACT_KEYS = ["note"]
    search.begin_rebuilding()
    follow()
    assert find_names("zoe@example.com") == ["Zoë O'Neill-Müller"]
    assert find_names("ivan.petrov@example.com") == []


@pytest.mark.parametrize("words", ["CUST-100235", "cust-100235", "cust 100235", "100235", "0023", "CUST"])
def test_an_external_id_is_found_in_any_case_and_by_a_part(people, words):
    assert find_names(words) == ["Petrov, Alexander"]


def test_a_name_of_150_letters_or_words_is_found(people):
    UserFactory(name="A" * 150)
    UserFactory(name=" ".join("bcdfghjklmnpqrstvwxz" * 3))
    follow()
    assert find_names("a" * 30) == find_names("a" * 150) == ["A" * 150]
    assert len(find_names("b c d")) == 1


def test_who_was_renamed_is_found_by_the_new_name_alone(people):
    user = UserFactory(name="Boris Before")
    follow()
    operations.change_user(id=user.pk, changes={"name": "Boris After"}, caller=CALLER)
    follow()
    assert find_names("before") == []
    assert find_names("after") == ["Boris After"]


@pytest.fixture
def money():
    account = AccountFactory(name="Petya", funds="1000")
    withdraw(account, "50", reference="card 4455 GROCERY", effective_at=day("2026-10-24T10:00"))
    withdraw(account, "60", reference="INV-100235")
    withdraw(account, "5000", reference="rent 2026")
    hold(account, "70", reference="Hotel booking 77")
    transfer(account, AccountFactory(), "1234.5", reference="ёлка")
    follow()
    return account


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        ("card 4455", "card 4455 GROCERY"),
        ("4455 card", "card 4455 GROCERY"),
        ("grocery", "card 4455 GROCERY"),
        ("roce", "card 4455 GROCERY"),
        ("100235", "INV-100235"),
        ("inv 100235", "INV-100235"),
        ("0023", "INV-100235"),
        ("hotel booking 77", "Hotel booking 77"),
        ("BOOKING", "Hotel booking 77"),
        ("77 hotel", "Hotel booking 77"),
        ("rent", "rent 2026"),
    ],
)
def test_a_transaction_or_a_hold_is_found_by_a_part_of_its_reference(money, words, reference):
    assert find_references(words) == [reference]


@pytest.mark.parametrize("words", ["card 4456", "cardgrocery", "7", "hotel 78", "oker", "%", "a%d"])
def test_other_parts_find_nothing(money, words):
    assert find_references(words) == []


def test_both_legs_are_found_and_the_newest_first(money):
    assert find_references("елка") == ["ёлка", "ёлка"]
    withdraw(money, "1", reference="card 4455 later")
    follow()
    assert find_references("card 4455") == ["card 4455 later", "card 4455 GROCERY"]


@pytest.mark.parametrize(
    "words", ["50.00 on 24 Oct 2026", "50,00 25.10.2026", "50 2026-10-23", "$50 Oct 24, 2026"]
)
def test_money_is_found_by_its_amount_and_the_day_before_and_after(money, words):
    assert find_references(words) == ["card 4455 GROCERY"]


@pytest.mark.parametrize("words", ["50.00 on 26 Oct 2026", "50.01 on 24 Oct 2026", "50 22.10.2026"])
def test_other_amounts_and_days_find_nothing(money, words):
    assert find_references(words) == []


def test_a_hold_is_found_by_the_amount_that_it_has_now(money, service):
    today = f"on {search.read_knowledge().now:%Y-%m-%d}"
    assert find_references(f"70.00 {today}") == ["Hotel booking 77"]
    for now, before in (("75", "70"), ("70", "75")):
        assert service.patch(f"/api/v1/holds/{Hold.objects.get().pk}", {"amount": now}).status_code == 200
        follow()
        assert find_references(f"{now} {today}") == ["Hotel booking 77"]
        assert find_references(f"{before} {today}") == []


def test_a_reference_and_an_id_are_found_before_the_search_knows_of_them(money):
    withdraw(money, "2", reference="just now")
    UserFactory(name="New One", external_id="new-1")
    assert find_references("just now") == ["just now"]
    assert find_references("just") == []
    assert find_names("new-1") == ["New One"]
    assert find_names("new one") == []


def test_what_stands_before_a_colon_says_what_it_is(money):
    UserFactory(name="Card Grocery")
    follow()
    for words, names, references in [
        ("grocery", ["Card Grocery"], ["card 4455 GROCERY"]),
        ("name: grocery", ["Card Grocery"], []),
        ("ref:grocery", [], ["card 4455 GROCERY"]),
    ]:
        asked = search.read(words, NOW)
        assert (find_names(words) if asked.is_of_people else []) == names
        assert (find_references(words) if asked.is_of_movements else []) == references


DAYS = [
    ("50.00 on 24 Nov", ["50.00"], ["2026-11-24"]),
    ("50,00 24.11", ["50.00"], ["2026-11-24"]),
    ("50 24 ноября", ["50"], ["2026-11-24"]),
    ("50 24 мая 2025 г.", ["50"], ["2025-05-24"]),
    ("1 234,50 24.11.26", ["1234.50"], ["2026-11-24"]),
    ("1,234.50 USD from Nov 24", ["1234.50"], ["2026-11-24"]),
    ("-50 RUB, 31 Dec", ["50"], ["2025-12-31"]),
    ("50 29 feb", ["50"], ["2024-02-29"]),
    ("50 5/6", ["50"], ["2026-06-05", "2026-05-06"]),
    ("50 today", ["50"], ["2026-11-30"]),
    ("50,5 вчера", ["50.5"], ["2026-11-29"]),
    ("1,234 today", ["1.234", "1234"], ["2026-11-30"]),
    ("50.00", ["50.00"], []),
    ("€50", ["50"], []),
    ("POINTS 50", ["50"], []),
    ("100235", [], []),
    ("card 4455", [], []),
    ("50 30 feb", [], []),
    ("50 on 2026-13-01", [], []),
    ("50 1 мрт", [], []),
    ("", [], []),
]


@pytest.mark.parametrize(("text", "amounts", "days"), DAYS, ids=[text or "nothing" for text, *_ in DAYS])
def test_an_amount_on_a_day_is_read_as_people_write_it(text, amounts, days):
    read, around = questions.read_amount_on_day(text, NOW.date())
    assert read == [Decimal(amount) for amount in amounts]
    assert [(last.date() - first.date()).days for first, last in around] == [3] * len(days)
    assert [date.fromordinal(first.toordinal() + 1).isoformat() for first, _ in around] == days


@pytest.mark.parametrize(
    ("one", "other"),
    [("петров", "петорв"), ("abcd", "abc"), ("abc", "xabc"), ("abcd", "abxd"), ("ab", "ab"), ("", "a")],
)
def test_one_error_is_near(one, other):
    assert folding.is_near(one, other)
    assert folding.is_near(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("abcd", "bcde"), ("abcd", "badc"), ("abc", "abcde"), ("abcd", "dbca"), ("abcd", "axyd")],
)
def test_two_errors_are_not(one, other):
    assert not folding.is_near(one, other)
    assert not folding.is_near(other, one)
