"""The pages in HTTP happen as they are written: their requests are sent, their answers compared."""

import json
import re
import urllib.error
import urllib.request
from typing import NamedTuple

import pytest

from tests.cast import issue_token
from tests.servers import PROJECT

PAGES = ("recipes.md", "guides/holds.md", "guides/thresholds.md")
REQUEST = re.compile(
    r"(?P<method>GET|POST|PATCH) (?P<path>/\S+)\n(?P<body>\{.*?\})?\n*(?P<status>\d{3}) (?P<answer>\{.*\})\Z",
    re.DOTALL,
)


class Exchange(NamedTuple):
    method: str
    path: str
    body: str | None
    status: int
    answer: dict


def read_page(page):
    """Every request of the page, in order, with the answer it wants."""
    for block in re.findall(r"```http\n(.*?)```", page, re.DOTALL):
        for text in re.split(r"\n(?=GET |POST |PATCH )", block.strip()):
            match = REQUEST.match(text.strip())
            assert match, f"Not a request and its answer:\n{text}"
            method, path, body, status, answer = match.groups()
            yield Exchange(method, path, body, int(status), json.loads(answer))


def send(base, token, exchange, told):
    def fill(text):
        return re.sub(r"\{(\w+)\}", lambda name: str(told[name[1]]), text)

    body = exchange.body and fill(exchange.body).encode()
    headers = {"Authorization": f"Bearer {token}"} | ({"Content-Type": "application/json"} if body else {})
    request = urllib.request.Request(  # noqa: S310, the test server
        base + fill(exchange.path), data=body, headers=headers, method=exchange.method
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def find_differences(wanted, seen, told, at=""):
    """Where `seen` lacks something of what is wanted; what the page has a name for is learnt."""
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            if name in seen:
                yield from find_differences(value, seen[name], told, f"{at}/{name}")
            else:
                yield f"{at}/{name} is missing"
    elif isinstance(wanted, list):
        if len(wanted) != len(seen):
            yield f"{at} has {len(seen)} items"
        for place, pair in enumerate(zip(wanted, seen, strict=False)):
            yield from find_differences(*pair, told, f"{at}/{place}")
    elif name := re.fullmatch(r"\{(\w+)\}", str(wanted)):
        told[name[1]] = seen
    elif wanted != seen:
        yield f"{at} is {seen!r}, not {wanted!r}"


def test_every_page_in_http_is_replayed():
    docs = PROJECT / "docs"
    found = [path for path in docs.rglob("*.md") if "```http" in path.read_text()]
    assert sorted(str(path.relative_to(docs)) for path in found) == sorted(PAGES)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", PAGES)
def test_the_recipes_happen_as_they_are_written(live_server, name):
    page, token, told = (PROJECT / "docs" / name).read_text(), issue_token("api-admin"), {}
    exchanges = list(read_page(page))
    assert len(exchanges) == sum(page.count(f"\n{method} ") for method in ("POST", "GET", "PATCH"))
    for exchange in exchanges:
        status, seen = send(live_server.url, token, exchange, told)
        assert status == exchange.status, (exchange, seen)
        assert not list(find_differences(exchange.answer, seen, told)), (exchange, seen)


def test_an_answer_that_differs_is_seen():
    wanted = {"a": "1", "b": [{"c": 2}], "d": "{name}"}
    assert not list(find_differences(wanted, {"a": "1", "b": [{"c": 2, "x": 0}], "d": "7"}, told := {}))
    assert told == {"name": "7"}
    seen = {"a": "2", "b": [{}, {}]}
    assert list(find_differences(wanted, seen, {})) == [
        "/a is '2', not '1'",
        "/b has 2 items",
        "/b/0/c is missing",
        "/d is missing",
    ]
