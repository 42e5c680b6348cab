"""What is scraped: of a server, and of a relay, by the names of series."""

import re

from django.test import RequestFactory

from ledger_project import metrics

SERIES = re.compile(r"^(\w+(?:\{.*\})?) (\S+)$", flags=re.M)


def read(text):
    """The values by name and labels, as they are written; the labels are in their order."""
    return {series: float(value) for series, value in SERIES.findall(text)}


def scrape_relay():
    answer = metrics.serve_relay_metrics(RequestFactory().get("/metrics"))
    assert answer.status_code == 200, answer.content
    return read(answer.content.decode())


def find_names(text):
    """The names of all metrics that are told of, with or without a value at this moment."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, flags=re.M):
        names |= {name, *(f"{name}_{part}" for part in ("bucket", "sum", "count") if kind == "histogram")}
    return names
