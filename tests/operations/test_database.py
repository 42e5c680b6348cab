"""docs/operations/database.md: PostgreSQL's settings, slow statements, a pooler, vacuum, a full disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.operations.ledger import Ledger
from tests.operations.machines import DEBIAN
from tests.programs import require

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]
POOLER = Path("/usr/sbin/pgbouncer")
SMALLER = {"4GB": "64MB", "12GB": "256MB", "16GB": "1GB"}


def test_a_database_is_set_up_looked_into_pooled_and_kept_clean(open_world):
    require(POOLER, "pgbouncer")
    world = open_world("operations/database.md", DEBIAN)
    world.names |= SMALLER
    world.run("Settings of the server")
    world.places["pgbouncer.ini"] = (world.home / "pgbouncer.ini").write_text
    world.run("Connections and PgBouncer", until="runs on")
    world.run("Connections and PgBouncer", count=1)  # the pooler
    ledger = Ledger(world)
    world.run("Connections and PgBouncer", count=2)  # through it, the service
    accounts = [ledger.make_account(f"user {number}") for number in range(4)]
    with ThreadPoolExecutor(8) as pool:
        posted = list(pool.map(ledger.deposit, accounts * 20))
    assert len(set(posted)) == 80
    output = world.run("Connections and PgBouncer")
    assert output.startswith("5s\n")  # the role's own time-out, so it is the role that is logged in
    assert "INSERT INTO" in world.run("Slow statements")
    world.run("Vacuum")
    assert "clean: every balance is proven" in world.shell(
        "python manage.py audit_balances", role="ledger_maintenance"
    )
    assert (
        world.query("SELECT relfrozenxid::text::bigint > 3 FROM pg_class WHERE relname = 'events_event'")
        == "t"
    )
    assert "transactions_transaction" in world.run("A full disk")
    log = (world.machines["db"].folder / "server.log").read_text()
    assert "user 0" not in log
    world.require_all_run()
