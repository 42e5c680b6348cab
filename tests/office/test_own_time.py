"""Every member of staff has a time zone: moments are shown in it, and read in it; the API stays in UTC."""

import re
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

import pytest
from django.utils import timezone, translation

from office import moments
from office.middleware import find_zone
from office.templatetags.ledger import moment as show_moment
from tests.cast import AccountFactory, day, deposit
from tests.office.account_pages import find_address, look, read_text
from tests.office.answers import find_accesses
from tests.office.reading import read
from tests.office.staff import make_staff, open_office
from transactions.reading import statistics

SETTINGS = "/admin/settings/"
MICROSECOND = timedelta(microseconds=1)


def choose(client, zone):
    return client.post(SETTINGS, {"time_zone": zone}, follow=True)


@pytest.fixture
def in_moscow():
    member = make_staff("support", username="moscow")
    client = open_office(member)
    assert choose(client, "Europe/Moscow").status_code == 200
    return client


def test_somebody_chooses_their_zone_and_the_record_has_it(support):
    answer = choose(support, "Asia/Kolkata")
    assert "Times are shown in this zone" in answer.content.decode()
    assert '<option value="Asia/Kolkata" selected' in answer.content.decode()
    [entry] = find_accesses(type="staff.time_zone_changed")
    assert (entry.before, entry.after) == ({"time_zone": "UTC"}, {"time_zone": "Asia/Kolkata"})
    assert entry.subject_id == str(entry.actor)


@pytest.mark.parametrize("address", ["/admin/", "/admin/operations/"])
def test_no_sentence_calls_a_moment_of_another_zone_utc(monkeypatch, address):
    monkeypatch.setattr(statistics, "SETTLED_AFTER", timedelta(0))
    member = make_staff("operations", username="moscow")
    client = open_office(member)
    choose(client, "Europe/Moscow")
    deposit(AccountFactory(), "5")
    statistics.refresh(Flag())
    text = read_text(client.get(address).content.decode())
    assert "MSK" in text
    assert "UTC" not in text.replace("Transactions by hour (UTC)", "")  # of which it is true


@pytest.mark.parametrize("zone", ["", "Mars/Base", "\x00", "../../etc/passwd", "x" * 5000])
def test_what_is_no_zone_is_refused(support, zone):
    assert choose(support, zone).status_code == 422
    assert not find_accesses(type="staff.time_zone_changed")


def test_nobody_who_is_not_in_sees_or_changes_settings(browser):
    for ask in (browser.get, browser.post):
        answer = ask(SETTINGS, {"time_zone": "Asia/Kolkata"})
        assert answer["Location"].startswith("/admin/login/")


def test_the_menu_leads_to_the_settings_and_to_the_password(support):
    links = read(support.get("/admin/")).links
    assert {SETTINGS, "/admin/password_change/"} <= set(links)


def test_moments_are_in_the_zone_of_who_reads_and_name_it(support, in_moscow, account):
    deposit(account, "5", effective_at=datetime(2023, 1, 1, 22, 30, tzinfo=UTC))
    assert "1 Jan 2023, 22:30:00 UTC" in read_text(look(support, account))
    html = look(in_moscow, account)
    assert "2 Jan 2023, 01:30:00 MSK" in read_text(html)
    assert 'title="2023-01-01T22:30:00.000000Z"' in html  # the exact one, as the API has it
    assert "1 Jan 2023, 22:30:00 UTC" in read_text(look(support, account))


def test_lists_and_fields_are_in_the_zone_too(superuser, account):
    choose(superuser, "Asia/Kolkata")
    for page in ("accounts/user/", f"accounts/user/{account.user_id}/change/", "events/recordentry/"):
        text = read_text(superuser.get(f"/admin/{page}").content.decode())
        found = re.findall(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d:\d\d (\S+)", text)
        assert set(found) == {"IST"}, (page, found)


def test_the_api_stays_in_utc(in_moscow, reader, account):
    deposit(account, "5", effective_at=datetime(2023, 1, 1, 22, 30, tzinfo=UTC))
    look(in_moscow, account)
    query = {"from": "2023-01-01", "to": "2023-01-01"}
    [line] = reader.get(f"/api/v1/accounts/{account.id}/statement", query).json()["lines"]
    assert line["effective_at"] == "2023-01-01T22:30:00.000000Z"
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_zone_that_is_no_more_is_utc(account):
    member = make_staff("support")
    member.time_zone = "Soviet/Union"
    member.save(update_fields=["time_zone"])
    deposit(account, "5")
    assert " UTC " in read_text(look(open_office(member), account))
    assert find_zone("") is UTC


def test_a_day_of_the_time_machine_is_the_whole_day_there(in_moscow, account, reader):
    """Task 7: what was there on 31 December at midnight in Moscow."""
    midnight = datetime(2022, 12, 31, 21, tzinfo=UTC)
    deposit(account, "100", effective_at=day("2022-12-30"))
    deposit(account, "20", effective_at=midnight - MICROSECOND)
    deposit(account, "3", effective_at=midnight)
    for asked in ({"at": "2022-12-31"}, {"at": "31.12.2022"}, {"at": "2022-12-31", "at_time": "24:00"}):
        text = read_text(look(in_moscow, account, **asked))
        assert "Balance then 120.00 USD effective at 31 Dec 2022, 23:59:59 MSK" in text, asked
        assert "Effective after that moment: 3.00 USD" in text
    query = {"at": "2022-12-31T23:59:59.999999+03:00"}
    assert reader.get(f"/api/v1/accounts/{account.id}/balance", query).json()["balance"] == "120.00"
    text = read_text(look(in_moscow, account, at="2023-01-01", at_time="00:00"))
    assert "Balance then 123.00 USD effective at 1 Jan 2023, 00:00:00 MSK" in text


def test_a_day_of_knowledge_is_the_whole_day_too(in_moscow, account):
    deposit(account, "5", effective_at=day("2023-01-01"))
    today = timezone.now().astimezone(find_zone("Europe/Moscow")).date()
    for known_at, balance in ((today, "5.00"), (today - timedelta(days=1), "0.00")):
        text = read_text(look(in_moscow, account, at="2023-06-01", known_at=str(known_at)))
        assert f"Balance then {balance} USD" in text


def test_a_link_with_a_moment_fills_the_form_in_the_readers_zone(in_moscow, account):
    html = look(in_moscow, account, at="2022-12-31T20:59:59.999999Z")
    assert 'name="at" value="2022-12-31"' in html
    assert 'name="at_time" value="23:59:59.999999"' in html


TURNED = [
    ("2026-10-25", "02:30", ("twice", "02:30+02:00", "02:30+01:00")),
    ("2026-03-29", "02:30", ("never show 02:30", "put forward")),
]


@pytest.mark.parametrize(("day", "time_of_day", "said"), TURNED)
def test_an_hour_that_is_there_twice_or_never_is_asked_about(account, day, time_of_day, said):
    client = open_office(make_staff("support"))
    choose(client, "Europe/Berlin")
    text = read_text(look(client, account, at=day, at_time=time_of_day))
    assert "Balance then" not in text
    for each in ("Europe/Berlin", *said):
        assert each in text


@pytest.mark.parametrize(
    ("zone", "day", "time_of_day", "instant"),
    [
        ("UTC", "2026-12-31", "", "2026-12-31T23:59:59.999999+00:00"),
        ("Europe/Moscow", "2026-12-31", "", "2026-12-31T20:59:59.999999+00:00"),
        ("Europe/Berlin", "2026-03-29", "", "2026-03-29T21:59:59.999999+00:00"),
        ("Europe/Berlin", "2026-10-25", "02:30+01:00", "2026-10-25T01:30:00+00:00"),
        ("Europe/Berlin", "2026-10-25", "02:30+02:00", "2026-10-25T00:30:00+00:00"),
        ("Asia/Kolkata", "2026-01-01", "9:05", "2026-01-01T03:35:00+00:00"),
        ("Asia/Kolkata", "2026-01-01", "09:05:06.000007", "2026-01-01T03:35:06.000007+00:00"),
        ("Asia/Kolkata", "2026-01-01", "09:05Z", "2026-01-01T09:05:00+00:00"),
        # No 30 December at all: its end is the end of the day before.
        ("Pacific/Apia", "2011-12-30", "", "2011-12-30T09:59:59.999999+00:00"),
    ],
)
def test_what_is_typed_is_read_in_the_zone_and_written_back(zone, day, time_of_day, instant):
    with timezone.override(find_zone(zone)):
        found = moments.read_moment(moments.read_day(day), time_of_day)
        assert found.isoformat() == instant
        written, time_written = moments.write_moment(found)
        assert moments.read_moment(moments.read_day(written), time_written) == found


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "31/12/2026",
        "32.01.2026",
        "1.1.26",
        "2026-1-1x",
        "",
        "\N{ARABIC-INDIC DIGIT ONE}.1.2026",
    ],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(moments.forms.ValidationError):
        moments.read_day(text)


@pytest.mark.parametrize("text", ["24:01", "1", "12:60", "12:00:00.0000001", "12:00+25:00", "noon", "12.30"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(moments.forms.ValidationError):
        moments.read_moment(day("2026-01-01").date(), text)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "instant", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)], ids=["first", "last"]
)
def test_the_ends_of_the_calendar_are_shown_in_every_zone(zone, instant):
    with timezone.override(find_zone(zone)), translation.override("en"):
        assert "<time" in show_moment(instant)


def test_the_time_machine_says_it_in_russian(in_moscow, account):
    answer = in_moscow.get(
        find_address(account), {"at": "вчера"}, headers={"Accept-Language": "ru"}
    ).content.decode()
    assert "Укажите день" in answer
    assert "Пусто — конец дня" in answer
