"""The back office speaks the language of whoever reads it: all of it, and in its own way of writing."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client
from django.utils import translation

from events import subscriptions
from ledger.callers import ActorKind, Caller
from tests import cast, messages
from tests.office import reading
from tests.office.staff import make_staff, open_office
from transactions import corrections
from transactions.models import Transaction

CATALOGUE = messages.read_catalogue()
MESSAGES = [message for message in CATALOGUE if message.id]
# What stays Latin in Russian: names, units, and codes that are the same everywhere.
LATIN = {
    *("Ledger", "main", "Main", "test", "en", "ru", "English", "esc"),
    *("support", "operations", "auditor", "monitoring", "webhook", "Webhook"),
    *("UTC", "CSV", "JSON", "URL", "ID", "Id", "id", "API", "RabbitMQ", "Idempotency", "Key"),
}
# So are names of time zones.
CODES = re.compile(
    r"[A-Z][A-Za-z]+(?:/[A-Za-z_-]+)+|[a-z]+([._-][a-z0-9]+)+|https?://\S+|\S*[0-9a-f]{8}-\S*|[A-Z]{3}\b"
    r"|\S*\d\S*|\S+@\S+"
)


def read_texts(text):
    return list(text) if isinstance(text, tuple) else [text]


def test_every_text_is_in_the_catalogue_and_the_catalogue_has_no_other():
    found = {(message.id, message.context) for message in messages.find_messages() if message.id}
    assert found == {(message.id, message.context) for message in MESSAGES}, "run: make messages"


def test_every_text_is_translated():
    assert [message.id for message in MESSAGES if not messages.is_translated(message)] == []


def test_the_compiled_catalogue_is_the_one_that_was_written():
    assert messages.MO.read_bytes() == messages.compile_catalogue(), "run: make messages"


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message.id)[:40])
def test_a_translation_has_the_places_of_its_text(message):
    places = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|%%|^\n|\n$")
    originals, translations = read_texts(message.id), read_texts(message.string)
    for text in translations:
        assert sorted(places.findall(text)) == sorted(places.findall(originals[-1])), text
    # Three forms of a plural: for 1, for 2 and for 5.
    assert len(translations) == (3 if len(originals) == 2 else 1)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message.id)[:40])
def test_django_finds_the_translation(message):
    with translation.override("ru"):
        if isinstance(message.id, tuple):
            singular, plural = message.id
            for number, text in zip((1, 2, 5, 11, 21, 22, 25), [0, 1, 2, 2, 0, 1, 2], strict=True):
                assert translation.ngettext(singular, plural, number) == message.string[text]
        elif message.context:
            assert translation.pgettext(message.context, message.id) == message.string
        else:
            assert translation.gettext(message.id) == message.string


@pytest.fixture
def ledger(settings):
    """One of everything, named in Russian: what is not Cyrillic on a page is not translated."""
    settings.APPROVAL_ABOVE = {"USD": Decimal(100)}
    user = cast.UserFactory(name="Пётр", external_id="п-1")
    account = user.accounts.get()
    deposit = cast.deposit(account, "1234.56", reference="счёт")
    cast.withdraw(account, "5000", reference="счёт")
    cast.hold(account, "5", reference="счёт")
    cast.issue_token("api-read", user=user)
    subscriptions.create(kind="webhook", url="http://127.0.0.1:9/", caller=Caller(user.id))
    for amount in ("50", "500"):
        corrections.adjust(
            id=cast.new_id(),
            account_id=account.id,
            type=Transaction.Type.DEPOSIT,
            amount=Decimal(amount),
            reference="счёт",
            reason="причина",
            caller=Caller(user.id, ActorKind.STAFF, "1"),
        )
    return deposit


def find_words(text):
    """Words in Latin letters that are not names or codes."""
    return [word for word in re.findall(r"[A-Za-z]{2,}", CODES.sub(" ", text)) if word not in LATIN]


def test_no_page_shows_a_text_that_is_not_translated(ledger):
    staff = make_staff(superuser=True, username="оператор")
    seen = {}
    for address, page in reading.walk(open_office(staff), **{"accept-language": "ru"}):
        seen[address] = [text for text in page.texts if find_words(text)]
    assert len(seen) > 12, list(seen)
    assert {address: texts for address, texts in seen.items() if texts} == {}


def test_the_pages_before_the_door_are_russian(db):
    client = Client(headers={"accept-language": "ru"})
    assert "С возвращением" in client.get("/admin/login/").content.decode()
    staff = make_staff(username="оператор")
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    page = reading.read(client.get("/admin/second-factor/"))
    assert [text for text in page.texts if find_words(text)] == []
    assert "Второй фактор" in page.texts


@pytest.mark.parametrize(
    ("browser", "language"),
    [("ru", "ru"), ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de,en;q=0.5", "en"), ("xx", "en"), ("\x00;;", "en")],
)
def test_the_browser_chooses_the_language(db, browser, language):
    response = Client().get("/admin/login/", headers={"accept-language": browser})
    assert response["Content-Language"] == language
    assert f'lang="{language}"' in response.content.decode()


def test_the_switch_is_stronger_than_the_browser(db):
    client = open_office(make_staff("support"))
    assert "Dashboard" in client.get("/admin/").content.decode()
    response = client.post("/admin/language/", {"language": "ru", "next": "/admin/"})
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert "Обзор" in client.get("/admin/", headers={"accept-language": "en"}).content.decode()


@pytest.mark.parametrize(
    ("language", "money", "moment"),
    [
        ("en", "1,234.56\xa0USD", "26 Nov 2026, 14:05:07 UTC"),
        ("ru", "1\xa0234,56\xa0USD", "26.11.2026 14:05:07 UTC"),
    ],
)
def test_money_and_moments_are_written_as_readers_write_them(language, money, moment):
    context = {"amount": Decimal("1234.56"), "at": datetime(2026, 11, 26, 14, 5, 7, tzinfo=UTC)}
    with translation.override(language):
        page = Template("{% load ledger %}{{ amount|money:'USD' }}|{{ at|moment }}").render(Context(context))
    assert page.startswith(money + "|")
    assert f">{moment}<" in page


def test_every_language_has_its_formats():
    assert {code for code, _name in settings.LANGUAGES} == {"en", "ru"}
    for code, _name in settings.LANGUAGES:
        assert (settings.BASE_DIR / "office/formats" / code / "formats.py").exists()
