"""The whole service as an operator meets it: started, used, killed in the middle, stopped."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from decimal import Decimal

import httpx2
import psutil
import pytest

from tests.cast import new_id
from tests.deploy import test_watching
from tests.faults.hammer import make_account
from tests.receivers import receiver
from tests.scraping import find_names
from tests.servers import PROJECT, wait_for
from tests.service import Service, find_free_port, is_gone


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    environment = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "RELAY_LEASE_SECONDS": "1"}
    environment["RELAY_METRICS_PORT"] = str(find_free_port())
    service = Service(tmp_path_factory.mktemp("a place") / "var", environment).start()
    yield service
    if service.process.poll() is None:
        service.stop()


def read_lines(service):
    """Fails on what is no JSON."""
    return [json.loads(line) for line in service.output.splitlines()]


def test_the_first_run_says_where_everything_is_and_shows_its_secrets_to_no_file(service):
    wait_for(lambda: "service_started" in service.output)
    [said] = [line["text"] for line in read_lines(service) if line["event"] == "service_started"]
    assert f"http://localhost:{service.port}/api/docs" in said
    assert f"http://localhost:{service.port}/admin/" in said
    for name in ("api_token", "admin_password", "secret_key", "chain_key", "webhook_key"):
        assert stat.S_IMODE((service.var / name).stat().st_mode) == 0o600
        assert (service.var / name).read_text().strip() not in service.output
    assert f"api_token and admin_password of `admin` are in {service.var}" in said


def test_health_metrics_docs_and_static_files_are_served(service):
    for path in ("/livez", "/readyz", "/api/schema", "/api/docs", "/admin/login/"):
        status, text, _ = service.send("GET", path)
        assert status == 200, text
    assert service.send("GET", "/static/admin/css/base.css")[0] == 200
    for _ in range(20):  # both workers answer some
        service.send("GET", "/api/v1/users")
    _, text, _ = service.send("GET", "/metrics")
    counted = re.search(
        r'ledger_requests_total\{method="GET",route="api/v1/users",status="200"\} (\d+)', text
    )
    assert float(counted[1]) >= 20
    assert "ledger_database" not in text  # that is the relay's to tell
    assert len(re.findall(r"^process_resident_memory_bytes\{", text, flags=re.M)) == 2
    assert 'ledger_lane_threads{lane="reads"} 8.0' in text


def test_what_is_asked_for_of_its_two_ports_is_there(service):
    """Of the database at the relay's port alone, with nothing that the server tells."""
    body = {"id": str(new_id()), "account": make_account(service), "type": "DEPOSIT", "amount": "1.00"}
    assert service.insist("POST", "/api/v1/transactions", body)[0] == 201
    _, of_server, _ = service.send("GET", "/metrics")
    relay = f"http://127.0.0.1:{service.environment['RELAY_METRICS_PORT']}"
    assert httpx2.get(f"{relay}/livez", trust_env=False).status_code == 200
    of_relay = httpx2.get(f"{relay}/metrics", timeout=20, trust_env=False).text
    own, other = find_names(of_server), find_names(of_relay)
    assert {name for name in own & other if not name.startswith("process_")} == {"ledger_build_info"}
    wanted = set().union(*map(test_watching.find_metrics, test_watching.EXPRESSIONS))
    assert wanted - own - other - test_watching.RECORDED - test_watching.OF_OTHERS == set()


def test_a_chunked_body_and_a_forged_host_get_named_errors(service):
    assert (
        '"length_required"'
        in service.send("POST", "/api/v1/users", None, **{"Transfer-Encoding": "chunked"})[1]
    )
    assert '"host_not_allowed"' in service.send("GET", "/api/v1/users", Host="evil.example")[1]


def test_its_processes_share_what_they_have_loaded(service):
    """Each of the five would have some 70 MiB of its own otherwise."""
    own = psutil.Process(service.process.pid)
    processes = [own, *own.children(recursive=True)]
    assert len(processes) == 5
    assert sum(process.memory_full_info().pss for process in processes) < 220 * 1024 * 1024


def test_another_serve_on_the_same_port_says_so(service):
    command = [sys.executable, "manage.py", "serve", "--port", str(service.port)]
    environment = {**os.environ, "LEDGER_VAR": str(service.var)}
    second = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert second.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{service.port}" in json.loads(second.stderr)["text"]
    assert service.send("GET", "/readyz")[0] == 200


def run_load(service, account, acknowledged, stopping):
    while not stopping.is_set():
        body = {"id": str(new_id()), "account": account, "type": "DEPOSIT", "amount": "1.00"}
        status, answer = service.insist("POST", "/api/v1/transactions", body)
        assert status == 201, answer
        acknowledged.append(body["id"])


def kill(service, victim):
    if victim != "the database":
        for worker in service.find_workers()[: 1 if victim == "a worker" else None]:
            worker.kill()
    if victim != "a worker":
        service.kill_postmaster()


@pytest.mark.parametrize("victim", ["a worker", "the database", "all workers and the database"])
def test_killed_under_load_nothing_acknowledged_is_lost_or_doubled(service, victim):
    accounts = [make_account(service) for _ in range(3)]
    acknowledged = {account: [] for account in accounts}
    stopping = threading.Event()
    threads = [
        threading.Thread(target=run_load, args=(service, account, acknowledged[account], stopping))
        for account in accounts * 2
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            time.sleep(1)
            kill(service, victim)
        time.sleep(1)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(60)
    for account, ids in acknowledged.items():
        assert ids
        _, balance = service.insist("GET", f"/api/v1/accounts/{account}/balance")
        assert Decimal(balance["balance"]) == len(ids) == balance["version"]
        for id in ids[-5:] + ids[:5]:
            status, row = service.insist("GET", f"/api/v1/transactions/{id}")
            assert (status, row["status"]) == (200, "POSTED")


def test_a_killed_relay_comes_back_and_goes_on(service):
    account = make_account(service)
    with receiver() as hook:
        status, text, _ = service.send("POST", "/api/v1/subscriptions", {"kind": "webhook", "url": hook.url})
        assert status == 201, text
        ids = []
        for _ in range(3):
            for _ in range(10):
                ids.append(str(new_id()))
                body = {"id": ids[-1], "account": account, "type": "DEPOSIT", "amount": "1.00"}
                service.insist("POST", "/api/v1/transactions", body)
            service.find_relay().kill()
            wait_for(lambda: "The relay has ended" in service.output)
            time.sleep(1)
        wait_for(lambda: {event["data"]["id"] for event in hook.events} >= set(ids), 30)
        assert all(event["type"] == "transaction.posted" for event in hook.verify(json.loads(text)["secret"]))
        first = dict.fromkeys(hook.positions)  # without repeats
        assert list(first) == sorted(first)
        assert service.send("DELETE", f"/api/v1/subscriptions/{json.loads(text)['id']}")[0] == 204


def test_a_killed_serve_takes_its_server_along_and_the_next_one_goes_on(service):
    account = make_account(service)
    workers = [*service.find_workers(), service.find_relay()]
    service.process.kill()
    service.process.wait()
    deadline = time.monotonic() + 20
    while not all(is_gone(worker.pid) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    service.start()
    assert "API token" not in service.output
    assert service.send("GET", f"/api/v1/accounts/{account}")[0] == 200


def test_ctrl_c_stops_all_of_it(service):
    pids = [service.read_postmaster_pid(), service.find_relay().pid]
    assert service.stop(signal.SIGINT) == 0
    assert all(is_gone(pid) for pid in pids)
    lines = read_lines(service)
    assert lines[-1]["event"] == "service_stopped"
    assert {"event", "level", "timestamp"} <= set.intersection(*(set(line) for line in lines))
    assert any(line["event"].startswith("Started worker") for line in lines)  # of granian's
