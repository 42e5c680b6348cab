"""What machines some rates need: the formula of docs/capacity.md, and the command that fills it in."""

import json
import re
import subprocess
import sys
from dataclasses import asdict

import pytest

from benchmarks.sizing import Price, Prices, compute_need
from tests.servers import PROJECT

PRICES = Prices(
    requests={
        "posts": Price(web=700, database=350, relay=7, wal=2000),
        "batched": Price(web=70, database=70, relay=7, wal=1000),
        "transfers": Price(web=700, database=700, wal=4000),
        "balances": Price(web=140, database=70),
    },
    kept=600,
    pruned=400,
    audit=100_000,
    memory=200,
    connections=20,
    machine={"python": "Python of a test", "cpu": "a processor", "commit": "abc"},
)


def test_cores_are_what_all_requests_cost_at_seventy_percent():
    need = compute_need(PRICES, {"posts": 1000, "balances": 5000})
    assert need.web_cores == pytest.approx((1000 * 700 + 5000 * 140) / 1e6 / 0.7)  # 2.0
    assert need.database_cores == pytest.approx(1.0)
    assert need.relay_cores == pytest.approx(0.01)
    assert need.workers == 2
    assert need.memory_mib == 200
    assert need.connections == 2 * 20 + 10


def test_more_cores_are_more_workers_and_those_more_connections_and_memory():
    need = compute_need(PRICES, {"posts": 10_000})
    assert need.workers == 10
    assert (need.connections, need.memory_mib) == (210, 1000)


def test_a_transfer_is_two_transactions_on_the_disk():
    one, two = (compute_need(PRICES, {kind: 10}) for kind in ("posts", "transfers"))
    assert one.disk_gb_a_day == pytest.approx(10 * 86_400 * 1000 / 1e9)
    assert two.disk_gb_a_day == pytest.approx(2 * one.disk_gb_a_day)


def test_after_a_year_events_of_ninety_days_are_left_and_all_transactions():
    need = compute_need(PRICES, {"posts": 100}, hours=12)
    a_day = 100 * 12 * 3600
    assert need.disk_gb_a_year == pytest.approx(a_day * (365 * 600 + 90 * 400) / 1e9)
    assert need.wal_mb_a_second == pytest.approx(0.2)
    assert need.wal_gb_a_day == pytest.approx(a_day * 2000 / 1e9)


def test_a_billion_rows_are_audited_as_fast_as_some_were():
    assert compute_need(PRICES, {}).audit_hours_of_a_billion == pytest.approx(2.78, abs=0.01)


def read_rows(text):
    """The first two cells of each row of the tables."""
    return {tuple(cell.strip() for cell in line.split("│")[1:3]) for line in text.splitlines()}


def test_the_command_fills_the_formula_in_with_prices_that_were_kept(tmp_path):
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(asdict(PRICES)))
    command = [sys.executable, "-m", "benchmarks", "capacity", "--prices", str(file)]
    rates = ["--posts", "1000", "--balances", "5000"]
    run = subprocess.run([*command, *rates], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "Python of a test" in run.stdout
    rows = read_rows(run.stdout)
    assert ("web cores", "2.0") in rows
    assert ("connections", "50") in rows


def test_the_examples_of_the_page_are_what_the_command_prints():
    page = (PROJECT / "docs/capacity.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+) \| ([\d,.]+) \| ([\d,.]+) \|$", page, re.MULTILINE)
    assert len(rows) > 5
    commands = re.findall(r"^    python (-m benchmarks capacity --prices benchmarks/.*)$", page, re.MULTILINE)
    for number, command in enumerate(commands):
        run = subprocess.run([sys.executable, *command.split()], cwd=PROJECT, capture_output=True, text=True)
        printed = read_rows(run.stdout)
        assert [row for row in rows if (row[0], row[1 + number]) not in printed] == []
    assert len(commands) == 2
