"""The samples of the README are run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

from ledger_client import Ledger
from ledger_client.testing import LedgerServer

PACKAGE = Path(__file__).parents[1]


def test_the_first_posting(ledger_server: LedgerServer, ledger: Ledger) -> None:
    """But for the port, which is another one here."""
    sample = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), flags=re.S)[0]
    run = subprocess.run(
        [sys.executable, "-c", sample.replace("http://localhost:8080", ledger_server.url)],
        cwd=ledger_server.var.parent,  # where var/api_token is
        env={"PYTHONPATH": str(PACKAGE / "src")},
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    assert re.search(r"Transaction\(.*amount=Decimal\('100.00'\)", run.stdout)
    petya = ledger.find_user("petya-1")
    assert petya is not None
    posted = ledger.list_transactions(user=petya.id).first()
    assert posted is not None
    assert posted.amount == 100


def test_it_is_of_one_screen() -> None:
    assert len((PACKAGE / "README.md").read_text().splitlines()) <= 80
