"""docs/operations/upgrades.md: of the ledger, and of PostgreSQL.

To another cluster of the same version, which takes the same way: the embedded 18.4 is older than Debian's
15.20, and its `pg_upgrade` fails with what that has.
"""

import pytest

from tests.operations.ledger import Ledger
from tests.operations.machines import EMBEDDED, Machine

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]


def test_the_ledger_goes_on_in_a_new_postgresql(open_world):
    world = open_world("operations/upgrades.md")
    old = world.machines["db"]
    new = world.machines["new"] = Machine("new", world.folder / "18", old.port, EMBEDDED)
    world.names |= {
        "/usr/lib/postgresql/15/bin": str(EMBEDDED),
        "/usr/lib/postgresql/18/bin": str(EMBEDDED),
        "/var/lib/postgresql/15/main": str(old.data),
        "/var/lib/postgresql/18/main": str(new.data),
    }
    ledger = Ledger(world).start()
    account = ledger.make_account("petya")
    before = ledger.deposit(account)
    world.run("The ledger")
    world.run("PostgreSQL, a minor version")
    assert ledger.deposit(account)  # the service has found its database again
    assert ledger.send("GET", "/api/v1/events")[0] == 200
    world.stop()

    major = "PostgreSQL, a major version"
    world.run(major, count=2)
    new.configure()
    world.run(major, count=1)
    world.take_over("new")
    output = world.run(major)
    assert "clean: every balance is proven" in output
    assert "The feed is in the new epoch" in output
    assert world.query("SHOW server_version").startswith("18")
    ledger.start()
    assert ledger.deposit(account, id=before) == before
    assert ledger.send("GET", f"/api/v1/accounts/{account.id}/balance")[1]["balance"] == "2.00"
    assert ledger.send("GET", "/api/v1/events")[0] == 200
    world.require_all_run()
