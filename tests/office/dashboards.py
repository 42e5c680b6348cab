"""Reading the dashboard as its reader does, and what it warns of."""

import json
import re
from datetime import timedelta
from html import unescape

from accounts import operations
from events.models import FeedState, Subscription
from tests import cast
from transactions.models import AuditRun

DASHBOARD = "/admin/"
OPERATIONS = "/admin/operations/"
ICONS = r"\b(lock_clock|ac_unit|fact_check|verified|rss_feed|request_quote|warning)\b "


def look(client, query="", page=DASHBOARD):
    """All that can be read, without the names of icons."""
    response = client.get(page + query)
    assert response.status_code == 200
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())
    return re.sub(ICONS, "", text.replace("\xa0", " "))


def read_chart(client, query=""):
    [data] = re.findall(r'data-value="([^"]+)"', client.get(DASHBOARD + query).content.decode())
    chart = json.loads(unescape(data))
    return chart["labels"], {each["label"]: each["data"] for each in chart["datasets"]}


def find_tiles(client, page=DASHBOARD):
    """Their titles, and whether they raise the alarm."""
    text = client.get(page).content.decode()
    return {
        title: "office-alarm" in classes
        for classes, title in re.findall(r'class="(office-tile[^"]*)" aria-label="([^"]+)"', text)
    }


def subscribe(number, **fields):
    state = FeedState.objects.get()
    fields = {"epoch": state.epoch, "position": state.last_position, "actor": cast.new_id(), **fields}
    return Subscription.objects.create(
        kind="webhook", url=f"https://hooks{number}.example.com/s3cret", **fields
    )


def make_run(findings=0, days=0, is_whole=True):
    at = operations.read_clock() - timedelta(days=days)
    return AuditRun.objects.create(
        started_at=at,
        finished_at=at,
        seen_through=at,
        is_whole=is_whole,
        accounts=1,
        rows=1,
        findings=findings,
    )
