"""What tests of pages have in common."""

import re

from django.contrib.messages import get_messages

from office.models import Access

SECRET = re.compile(r'<code class="office-secret"[^>]*>([^<]+)</code>')
FORGED_IDS = (
    "x",
    "%00",
    "a%00b",
    "-1",
    "0",
    "9" * 30,
    "%F0%9F%98%80",
    "..",
    "__proto__",
    "00000000-0000-0000",
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
    return list(Access.objects.filter(**fields).order_by("id"))
