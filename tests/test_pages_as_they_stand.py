"""The quick start and the guides for a shell: each block is run, in its order, against a ledger."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.servers import PROJECT, wait_for
from tests.service import Service, find_free_port

pytestmark = pytest.mark.serve


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """`make run`, in a folder of its own, as the guide to webhooks wants it."""
    folder = tmp_path_factory.mktemp("checkout")
    service = Service(folder / "var", {"WEBHOOK_LOOPBACK": "true"}).start()
    yield service
    service.stop()


def read_blocks(page, language):
    text = (PROJECT / "docs" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(script, service):
    """The lines that it prints, run where `var` is."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8080", f"localhost:{service.port}")],
        cwd=service.var.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def test_the_receiver_of_the_guide_hears_what_happens_once(service):
    [receiver] = read_blocks("guides/webhooks.md", "python")
    subscribe, post = read_blocks("guides/webhooks.md", "sh")
    folder, port = service.var.parent, str(find_free_port())
    (folder / "receiver.py").write_text(receiver.replace("9000", port))
    process = subprocess.Popen([sys.executable, "receiver.py"], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: has_posted(folder, "nothing", 0) and is_heard(int(port)))
        tested, _user, posted = run((subscribe + post).replace(":9000", f":{port}"), service)
        assert tested == {"delivered": True, "error": None}
        wait_for(lambda: has_posted(folder, posted["id"], 1))
        replay = """curl -sw '\\n' $API/subscriptions/$ID/replay -H "$AUTH" -H "$JSON" -d '{}'\n"""
        look_up = subscribe[subscribe.index("ID=") :].partition("\n")[0]
        again = post.replace("webhook-1", "webhook-2")
        [*_, later] = run("\n".join([subscribe.partition("\n\n")[0], look_up, replay, again]), service)
        wait_for(lambda: has_posted(folder, later["id"], 1), 30)  # which comes after all that was replayed
        assert has_posted(folder, posted["id"], 1)
    finally:
        process.terminate()
        process.wait()


def test_the_quick_start_moves_money_and_asks(service):
    move, ask, demo, containers = read_blocks("quick-start.md", "sh")
    user, deposit, withdrawal, decline, deposits, now, then = run(move + ask, service)
    assert [deposit["balance_after"], withdrawal["balance_after"]] == ["100.00", "70.00"]
    facts = {"code": "insufficient_funds", "status": 402, "available": "70.00", "required": "500.00"}
    assert {name: decline[name] for name in facts} == facts
    assert [row["id"] for row in deposits["results"]] == [deposit["id"]]
    assert [now["balance"], then["balance"]] == ["70.00", "100.00"]
    assert user["id"] == now["user"]
    again = run(move + ask, service)
    assert [row["id"] for row in again[:4]] == [row["id"] for row in (user, deposit, withdrawal, decline)]
    assert again[5]["version"] == now["version"]
    assert containers.startswith("docker compose ")  # tests/deploy/test_compose.py runs it
    assert demo.startswith(".venv/bin/python manage.py ")
    command = demo.replace(".venv/bin/python", sys.executable)
    done = subprocess.run(command, shell=True, cwd=PROJECT, env=service.make_environment())  # noqa: S602
    assert done.returncode == 0
    status, _, _ = service.send("GET", "/api/v1/users/01910000-0000-7000-8000-000000000001")
    assert status == 200


def test_the_readme_leads_in_six_lines_to_the_first_posting_by_the_client(service):
    page = (PROJECT / "README.md").read_text()
    clone = re.findall(r"^    (.+)$", page, re.MULTILINE)
    [block] = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    lines = [*clone, *block.splitlines()]
    assert len(lines) == 6
    assert not re.search(r"&&|;", "".join(lines))
    install, post = lines[-2:]
    assert install == ".venv-mine/bin/pip install --quiet ./clients/python"  # the client's own tests do that
    assert post.startswith(".venv-mine/bin/python ")
    program = (PROJECT / post.split()[1]).read_text()
    done = subprocess.run(
        [sys.executable, "-c", program.replace("localhost:8080", f"localhost:{service.port}")],
        cwd=service.var.parent,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "clients/python/src")},
        capture_output=True,
        text=True,
    )
    assert "amount=Decimal('100.00')" in done.stdout, done.stderr


def is_heard(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def has_posted(folder, id, count):
    """Whether the receiver has its book, and in it so many of this transaction."""
    if not (folder / "receiver.sqlite").exists():
        return False
    with closing(sqlite3.connect(folder / "receiver.sqlite")) as book:
        try:
            return book.execute("SELECT count(*) FROM posted WHERE id = ?", [id]).fetchone() == (count,)
        except sqlite3.OperationalError:
            return False  # not made yet


@pytest.mark.drill
def test_the_fixture_of_the_guide_starts_a_ledger_and_stops_it(tmp_path):
    [fixture] = read_blocks("guides/testing.md", "python")
    (tmp_path / "conftest.py").write_text(fixture)
    (tmp_path / "test_mine.py").write_text(
        "import json, urllib.request\n"
        "def test_it_knows_me(ledger):\n"
        "    url, token = ledger\n"
        "    headers = {'Authorization': f'Bearer {token}'}\n"
        "    with urllib.request.urlopen(urllib.request.Request(url + '/me', headers=headers)) as answer:\n"
        "        assert json.load(answer)['permissions']\n"
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DATABASE"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=own | {"LEDGER_CHECKOUT": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
