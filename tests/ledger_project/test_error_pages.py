"""The type of a problem is the address of a page that says what its code means."""

import re
from urllib.parse import urljoin

import pytest

from rest.codes import STATUS
from tests.cast import new_id

pytestmark = pytest.mark.django_db
LINK = re.compile(r'href="(/errors)(?:#([a-z0-9-]+))?"')


@pytest.mark.parametrize("code", sorted(STATUS))
def test_every_code_has_a_page(client, code):
    answer = client.get(f"/errors/{code}")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert f"<h1>{code}</h1>" in text
    assert re.findall(r"<td><code>([a-z_]+)</code></td>\s*<td>(\d+)</td>", text) == [
        (code, str(STATUS[code]))
    ]
    assert "| `" not in text  # nothing of the tables has stayed as it is written


def test_a_problem_leads_to_its_page(service):
    address = f"/api/v1/transactions/{new_id()}"
    problem = service.get(address).json()
    page = urljoin(f"https://ledger.example{address}", problem["type"])
    assert page == "https://ledger.example/errors/not_found"
    assert service.get("/errors/not_found").status_code == 200


def test_one_page_has_all_codes_and_whatever_pages_point_to(client):
    text = client.get("/errors").content.decode()
    ids = re.findall(r'id="([a-z0-9_-]+)"', text)
    assert len(set(ids)) == len(ids)
    assert set(STATUS) <= set(ids)
    pages = [text, *(client.get(f"/errors/{code}").content.decode() for code in STATUS)]
    pointed = {anchor for page in pages for _, anchor in LINK.findall(page) if anchor}
    assert {"texts", "preconditions"} <= pointed <= set(ids)


def test_nobody_elses_word_is_shown(client):
    for code in ("nothing", "PATCH", "external_id", "a-b"):
        assert client.get(f"/errors/{code}").status_code == 404
    assert client.post("/errors/not_found").status_code == 405
