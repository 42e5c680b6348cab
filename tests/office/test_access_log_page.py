import csv
import re

import pytest
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from django.test.utils import CaptureQueriesContext

from events.models import RecordEntry
from tests.cast import AccountFactory, new_id
from tests.office.answers import find_accesses, read
from tests.office.notes import note
from tests.office.staff import make_staff, open_office

LOG = "/admin/events/recordentry/"


@pytest.fixture
def auditor():
    return make_staff("auditor", username="ann")


@pytest.fixture
def office(auditor):
    return open_office(auditor)


def list_details(text):
    return re.findall(r"entry-[0-9]+", text)


def find_link(text, name):
    [found] = re.findall(r'href="(\?[^"]*)"[^>]*>\s*' + name, text)
    return found.replace("&amp;", "&")


def test_the_newest_come_first_and_older_ones_are_a_link_away(office, auditor):
    for number in range(230):
        note(auditor, detail=f"entry-{number:03}")
    text, seen = read(office.get(LOG)), []
    while True:
        seen += list_details(text)
        if not re.search(r">\s*Older", text):
            break
        text = read(office.get(LOG + find_link(text, "Older")))
    assert seen == [f"entry-{number:03}" for number in reversed(range(230))]
    assert list_details(read(office.get(LOG + find_link(text, "Newest") or LOG)))[0] == "entry-229"


def test_a_line_is_found_by_what_it_is_about_and_by_who_did_it(office, auditor):
    other, account = make_staff("support", username="bob"), AccountFactory()
    note(other, "account", account.id, detail="entry-1")
    note(auditor, "account", account.id, detail="entry-2")
    note(other, "event", 42, detail="entry-3")
    note(other, "account", new_id(), detail="entry-4")
    for words, found in [
        (str(account.id), ["entry-2", "entry-1"]),
        (f" {str(account.id).upper()} ", ["entry-2", "entry-1"]),
        ("bob", ["entry-4", "entry-3", "entry-1"]),
        ("42", ["entry-3"]),
        ("bo", []),
        (str(new_id()), []),
    ]:
        assert list_details(read(office.get(LOG, {"q": words}))) == found, words


def test_a_search_goes_back_too_and_stays_a_search(office, auditor):
    other = make_staff("support", username="bob")
    for number in range(51):
        note(other, detail=f"entry-{number:03}")
        note(auditor, detail=f"entry-{number + 500}")
    text = read(office.get(LOG, {"q": "bob"}))
    assert list_details(text)[-1] == "entry-001"
    assert list_details(read(office.get(LOG + find_link(text, "Older")))) == ["entry-000"]


# Past the guards: these are to be many, not right.
MANY = """
INSERT INTO events_recordentry (
    stream, number, recorded_at, actor, actor_kind, request_id, type, action, subject, subject_id, data,
    chain_hash
)
SELECT %(bob)s, n, now(), %(bob)s, 'staff', '', 'account.viewed', 'VIEW', 'account', n::text, '{}', ''
FROM generate_series(1, 5000) AS n
"""
BEYOND = "1000000000"  # an id after all, so that an index of ids leaves nothing out
INDEXES = {"": "events_recordentry_pkey", "bob": "entry_of_an_actor", "some-id": "entry_about_a_subject"}


@pytest.mark.parametrize("words", ["bob", "some-id"])
def test_every_search_and_every_page_reads_an_index_in_its_order(office, auditor, words):
    bob = make_staff("support", username="bob")
    with connection.cursor() as cursor:  # of a table that is known to be empty, any index is as cheap
        cursor.execute("ALTER TABLE events_recordentry DISABLE TRIGGER USER")
        cursor.execute(MANY, {"bob": bob.id})
    for query in ({}, {"before": BEYOND}, {"q": words}, {"q": words, "before": BEYOND}):
        with CaptureQueriesContext(connection) as queries:
            office.get(LOG, query)
        [text] = [each["sql"] for each in queries if '"events_recordentry"."id" DESC' in each["sql"]]
        with atomic(), connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort"):  # of few rows
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {text}")
            plan = " ".join(line for (line,) in cursor.fetchall())
        assert "Sort" not in plan, plan
        assert INDEXES[words if "q" in query else ""] in plan, plan


def test_a_line_leads_to_what_it_is_about_for_who_may_see_it(office, auditor):
    account, member = AccountFactory(), make_staff("support")
    note(auditor, "account", account.id)
    note(auditor, "staff", member.pk, detail="deactivate")
    note(auditor, "find", "something")
    page = f"/admin/accounts/account/{account.id}/change/"
    staff_page = f"/admin/accounts/staff/{member.pk}/change/"
    text = read(office.get(LOG))
    assert page in text
    assert str(member.pk) in text
    assert staff_page not in text
    assert staff_page in read(open_office(make_staff(superuser=True)).get(LOG))


def test_a_page_is_taken_away_as_csv_and_that_is_logged(office, auditor):
    note(auditor, "account", "a", detail="=1+1", reason='said "no", twice')
    note(auditor, "account", "b", detail="entry-2", reason="@x")
    text = read(office.get(LOG))
    answer = office.get(LOG + find_link(text, "This page as CSV"))
    *lines, hired = csv.DictReader(read(answer).splitlines())
    assert [line["subject_id"] for line in lines] == ["", "b", "a"]
    assert hired["subject_id"] == str(auditor.pk)
    assert [line["detail"] for line in lines[1:]] == ["entry-2", "'=1+1"]
    assert [line["reason"] for line in lines[1:]] == ["'@x", 'said "no", twice']
    assert {line["who"] for line in lines} == {"ann"}
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    [export] = find_accesses(action="EXPORT")
    assert (export.subject, export.detail) == ("record", "4 lines")
    lines = list(csv.DictReader(read(office.get(f"{LOG}?csv=1&q=b")).splitlines()))
    assert [line["subject_id"] for line in lines] == ["b"]
    assert find_accesses(action="EXPORT")[-1].detail == "1 lines b"


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: change_data(kept).save(force_update=True),
        lambda kept: kept.delete(),
        lambda kept: RecordEntry.objects.filter(pk=kept.pk).update(data={}),
        lambda kept: RecordEntry.objects.all().delete(),
        lambda kept: RecordEntry.objects.bulk_update(
            [RecordEntry(**{**vars_of(kept), "data": {}})], ["data"]
        ),
        lambda kept: connection.cursor().execute("TRUNCATE events_recordentry"),
    ],
)
def test_nobody_changes_the_log_past_the_pages(auditor, change):
    note(auditor, detail="entry-1")
    kept = RecordEntry.objects.latest("id")
    with pytest.raises(IntegrityError), atomic():
        change(kept)
    assert vars_of(RecordEntry.objects.latest("id")) == vars_of(kept)


def vars_of(row):
    return {field.attname: getattr(row, field.attname) for field in RecordEntry._meta.fields}


def change_data(row):
    return RecordEntry(**{**vars_of(row), "data": {}})


def test_forged_questions_are_no_faults(office, auditor):
    note(auditor)
    for query in (
        *("before=x", "before=-1", "before=0", "before=" + "9" * 400, "before=9223372036854775808"),
        *("before=%00", "before=1&before=2", "before=%C2%B2", "csv=1&before=x", "csv=0", "nonsense=1"),
    ):
        assert office.get(f"{LOG}?{query}").status_code in (200, 302), query
        assert office.post(f"{LOG}?{query}").status_code in (200, 302, 403), query
