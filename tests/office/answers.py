"""What tests of pages have in common."""

import re

from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import record
from events.models import RecordEntry

SECRET = re.compile(r'<code class="office-secret"[^>]*>([^<]+)</code>')
FORGED_IDS = (
    *(
        "x",
        "nothing",
        "'",
        "..",
        "a/b",
        "__proto__",
        "%00",
        "a%00b",
        "_00",
        "_5F",
        "é",
        "%FF",
        "%F0%9F%98%80",
    ),
    *("-1", "0", "1e3", "١٢", "0" * 300, "9" * 30, "a" * 3000, str(2**63 - 1), str(2**63)),
    *("00000000-0000-0000", "00000000-0000-0000-0000-000000000000", "00000000-0000-4000-8000-000000000000"),
)


def read(answer, status=200):
    assert answer.status_code == status, answer.content[:2000]
    return answer.content.decode()


def find_secret(answer):
    """What a page shows once."""
    [secret] = SECRET.findall(read(answer))
    return secret


def hear(answer):
    """The messages to the person, on the page that a redirect leads to."""
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def find_accesses(**fields):
    """Entries of the record in their order, each with what it tells: `detail` has the searched words, too.

    Those that let the cast of the tests in are left out.
    """
    hired = {"actor": None, "type__in": ["staff.created", "staff.superuser_created"]}
    entries = list(RecordEntry.objects.filter(**fields).exclude(**hired).order_by("id"))
    for entry, told in zip(entries, record.read_told(entries), strict=True):
        entry.told = told
        entry.detail = " ".join(filter(None, (told.get("detail"), told.get("words"))))
        entry.reason = told.get("reason") or ""
        entry.before, entry.after = told.get("before", {}), told.get("after", {})
    return entries


def count_queries(client, address, **query):
    """Those of a page that is shown, or that leads on to another one."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, query).status_code in (200, 302)
    return len(queries)
