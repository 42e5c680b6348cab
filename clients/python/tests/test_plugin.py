"""The plugin says what it needs, and what it starts is a ledger that may be killed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ledger_client import commands, new_id
from ledger_client.resources import User
from ledger_client.testing import LedgerServer

NEIGHBOUR = "def test_nothing(ledger): pass"


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_neighbour.py").write_text(NEIGHBOUR)
    source = str(Path(__file__).parents[1] / "src")
    plugin = ["-p", "no:cacheprovider", "-p", "no:django", "-p", "ledger_client.pytest_plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *options, str(folder)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": source, **environment},
        capture_output=True,
        text=True,
    )


def test_without_a_ledger_it_says_how_to_have_one(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    assert "Say where a checkout of the ledger is" in outcome.stdout
    assert outcome.returncode == 1


def test_what_is_no_checkout_is_refused(tmp_path: Path) -> None:
    outcome = run(tmp_path, "--ledger-checkout", str(tmp_path))
    assert "is no checkout of the ledger" in outcome.stdout
    assert outcome.returncode == 1


def test_one_that_runs_already_is_used(tmp_path: Path, ledger_url: str, ledger_token: str) -> None:
    outcome = run(tmp_path, LEDGER_URL=ledger_url, LEDGER_TOKEN=ledger_token)
    assert outcome.returncode == 0, outcome.stdout


def test_killed_and_started_again_it_has_what_it_had(
    ledger_server: LedgerServer, make_ledger_user: Callable[..., User]
) -> None:
    petya = make_ledger_user(funds="7.00")
    ledger_server.kill()
    assert ledger_server.has_ended()
    ledger_server.start()
    with ledger_server.connect() as ledger:
        assert ledger.get_user_balance(petya.id).balance == 7
        ledger.post(commands.withdraw(id=new_id(), user=petya.id, amount="7.00"))
