"""docs/operations/standby.md: a standby follows, takes over, and the old primary follows it."""

import re

import pytest

from tests.operations.ledger import SERVE, Ledger
from tests.servers import wait_for

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]


def test_a_standby_takes_over_and_what_was_acknowledged_is_there(open_world):
    world = open_world("operations/standby.md")
    ledger = Ledger(world).start()
    account = ledger.make_account("petya")
    assert "streaming" in world.run("Making it")
    world.run("What may be lost")
    wait_for(lambda: world.query("SELECT sync_state FROM pg_stat_replication") == "sync", 30)
    posted = [ledger.deposit(account) for _ in range(10)]
    _, page = ledger.send("GET", "/api/v1/events")

    # What the page says of a standby.
    world.names["db.internal"] = world.machines["standby"].address
    standby = f"DATABASE_URL=$(echo $DATABASE_URL | sed s/{world.machines['db'].address}/db.internal/)"
    check = "python manage.py database_roles --check"
    assert world.shell(f"{standby} {check}", role="ledger_maintenance") == "The roles are as they should be."
    audit = f"{standby} python manage.py audit_balances --json || echo ended with $?"
    output = world.shell(audit, role="ledger_maintenance")
    assert set(re.findall(r'"check": "(\w+)"', output)) == {"guards"}
    assert '"transactions": 10' in output
    assert "The run could not be stored" in output
    assert "ended with 1" in output
    world.stop()
    world.serve(SERVE.replace("python", f"export {standby}\npython"))
    assert ledger.send("GET", "/readyz")[0] == 503
    assert ledger.send("GET", f"/api/v1/accounts/{account.id}/balance")[1]["balance"] == "10.00"
    assert ledger.send("GET", "/api/v1/events")[1]["code"] == "database_read_only"
    refused = ledger.try_to_send("POST", "/api/v1/users", {"name": "olga", "external_id": "olga"})
    assert (refused[0], refused[1]["code"]) == (503, "database_read_only")

    world.machines["db"].run("pg_ctl -m immediate stop")
    world.run("Failing over", count=1)
    world.take_over("standby")
    world.stop()
    ledger.start()
    posted += [ledger.deposit(account) for _ in range(5)]
    assert ledger.send("GET", "/api/v1/events")[1]["code"] == "feed_stopped"
    output = world.run("Failing over")
    assert "clean: every balance is proven" in output
    assert "The feed is in the new epoch" in output
    assert ledger.send("GET", f"/api/v1/events?after={page['cursor']}")[0] == 410
    balance = ledger.send("GET", f"/api/v1/accounts/{account.id}/balance")[1]["balance"]
    assert balance == f"{len(posted)}.00"

    world.here = "db"
    assert "streaming" in world.run("The old one becomes the standby")
    posted.append(ledger.deposit(account))
    there = "SELECT count(*) FROM transactions_transaction"
    wait_for(lambda: world.query(there, "db") == str(len(posted)), 30)
    world.require_all_run()
