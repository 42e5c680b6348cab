"""Users by words of their names and by how their external ids begin, in pages of newest first."""

from itertools import chain
from urllib.parse import urlencode

import pytest

from accounts.models import User
from tests.accounts.erasing import forget
from tests.cast import UserFactory
from tests.conftest import make_client
from tests.searching import follow
from tests.transactions.test_filters_oracle import read_pages, require_exact_pages
from transactions import search
from transactions.search import listing

pytestmark = pytest.mark.django_db

USERS = "/api/v1/users"
NAMES = [
    "Иван Сергеевич Петров",
    "Petrov, Alexander",
    "Anna Petrova",
    "Zoë O'Neill-Müller",
    "Alexander Ivanov",
]


@pytest.fixture
def people():
    for number, name in enumerate(NAMES):
        UserFactory(name=name, external_id=f"crm-{number}" if number % 2 else f"CRM_{number}%")
    follow()


def find(client, **query):
    """The names of who is found, newest first."""
    answer = client.get(USERS, query)
    assert answer.status_code == 200, answer.content
    return [user["name"] for user in answer.json()["results"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("petrov", [2, 1]),
        ("PETROV alexander", [1]),
        ("alex", [4, 1]),
        ("al iv", [4]),
        ("иван петров", [0]),
        ("oneill zoe", [3]),
        ("zoë o'neill", [3]),
        ("petorv", []),
        ("etrov", []),
        ("petrov ivanov", []),
    ],
)
def test_all_words_stand_in_the_name_each_whole_or_as_it_begins(people, service, words, found):
    assert find(service, name_words=words) == [NAMES[number] for number in found]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("crm-", [3, 1]),
        ("CRM_", [4, 2, 0]),
        ("CRM_2%", [2]),
        ("CRM_2", [2]),
        ("C%", []),
        ("crm-1", [1]),
        ("rm", []),
    ],
)
def test_an_external_id_begins_as_it_is_written(people, service, prefix, found):
    assert find(service, external_id_prefix=prefix) == [NAMES[number] for number in found]


@pytest.mark.parametrize(("few", "looked_at_max"), [(500, 5000), (0, 5000), (0, 7)])
def test_pages_are_complete_there_and_back(people, service, monkeypatch, few, looked_at_max):
    for number in range(12):
        UserFactory(name=f"Petrov {number}", external_id=f"crm-{number}-p")
    follow()
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "LOOKED_AT_MAX", looked_at_max)
    rows = User.objects.filter(is_holder=True).order_by("-created_at", "-id")
    expected = [str(row.id) for row in rows if row.name.startswith("Petrov ")]
    address = f"{USERS}?{urlencode({'name_words': 'petrov', 'external_id_prefix': 'crm-', 'page_size': 5})}"
    expected.append(str(User.objects.get(name=NAMES[1]).id))
    if looked_at_max > 7:
        require_exact_pages(service, address, expected, 5)
    pages, last = read_pages(service, address, "next")
    assert [*chain(*pages)] == expected
    back, _ = read_pages(service, last["previous"], "previous")
    assert [*chain(*reversed(back)), *pages[-1]] == expected


def test_up_to_when_it_is_known_stands_beside_what_the_search_found(people, service):
    assert "known_at" in service.get(USERS, {"name_words": "petrov"}).json()
    assert "known_at" not in service.get(USERS, {"name": "petrov"}).json()
    assert "known_at" not in service.get(USERS, {"external_id_prefix": "crm-"}).json()
    UserFactory(name="Petrov", external_id="crm-new")
    assert find(service, name_words="petrov") == [NAMES[2], NAMES[1]]
    assert find(service, external_id_prefix="crm-new") == ["Petrov"]
    search.begin_rebuilding()
    assert service.get(USERS, {"name_words": "petrov"}).json()["known_at"] is None


def test_a_holder_finds_nobody_else(people):
    user = User.objects.get(name=NAMES[1])
    assert find(make_client(user=user), name_words="petrov") == [NAMES[1]]
    assert find(make_client(user=user), name_words="ivanov") == []
    assert find(make_client(user=user), external_id_prefix="CRM_") == []


def test_who_was_forgotten_is_not_found(people, service):
    forget(User.objects.get(name=NAMES[1]))
    assert find(service, name_words="petrov") == [NAMES[2]]
    assert find(service, external_id_prefix="crm-1") == []


@pytest.mark.parametrize("query", ["name_words=", "name_words=!%3F", "name_words=%00", "external_id_prefix="])
def test_what_cannot_be_asked_is_refused(service, query):
    answer = service.get(f"{USERS}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
