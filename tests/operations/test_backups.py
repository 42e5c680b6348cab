"""docs/operations/backups.md: a ledger is backed up, loses its server, and is restored to a second."""

import pytest

from tests.operations.ledger import Ledger
from tests.operations.machines import DEBIAN, EMBEDDED, Machine

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]


def test_what_is_restored_is_all_before_the_moment_and_nothing_that_was_undone_comes_back(open_world):
    world = open_world("operations/backups.md", DEBIAN)
    ledger = Ledger(world).start()
    kept, forgotten = ledger.make_account("kept"), ledger.make_account("forgotten")
    stolen = ledger.issue("thief", "api-read")
    world.run("Making them")
    before = ledger.deposit(kept)
    today = world.query("SELECT current_date")
    moment = world.query("SELECT clock_timestamp()")
    after = ledger.deposit(kept)
    world.shell(f"python manage.py revoke_token {stolen[:15]}")
    world.shell("python manage.py createsuperuser --noinput --username boris", role="deploy")
    approved = "--approved-by anna --approved-by boris --reason asked"
    world.shell(f"python manage.py erase_person {forgotten.user} {approved}")
    world.run("What a restore undoes")
    world.query("SELECT pg_switch_wal()")
    world.stop()  # the service and the stream
    world.machines["db"].run("pg_ctl -m immediate stop")

    world.names |= {"2026-11-26 05:10:23.5+00": moment, "2026-11-25": today}
    world.run("Restoring to a second", count=2)
    world.take_over("restored")
    output = world.run("Restoring to a second", count=1)
    assert "clean: every balance is proven" in output
    assert "Everything that was anchored is there, unchanged." in output
    # The second administrator was made after the moment.
    world.shell("python manage.py createsuperuser --noinput --username boris", role="deploy")
    ledger.start()
    assert [ledger.send("GET", f"/api/v1/transactions/{id}")[0] for id in (before, after)] == [200, 404]
    assert ledger.send("GET", "/api/v1/me", token=stolen)[0] == 200
    assert ledger.send("GET", f"/api/v1/users/{forgotten.user}")[1]["name"] == "forgotten"
    assert ledger.send("GET", "/api/v1/events")[1]["code"] == "feed_stopped"
    world.stop()

    output = world.run("Restoring to a second")
    assert "revoked" in output
    assert "The feed is in the new epoch" in output
    ledger.start()
    assert ledger.send("GET", "/api/v1/me", token=stolen)[1]["code"] == "token_invalid"
    assert ledger.send("GET", f"/api/v1/users/{forgotten.user}")[1]["name"] != "forgotten"
    assert ledger.send("GET", "/api/v1/events")[0] == 200
    assert [ledger.deposit(kept, id=id) for id in (before, after)] == [before, after]
    assert ledger.send("GET", f"/api/v1/accounts/{kept.id}/balance")[1]["balance"] == "2.00"
    world.stop()

    world.run("Looking at every page")
    new = world.machines["new"] = Machine("new", world.folder / "18", world.machines["db"].port, EMBEDDED)
    new.start()  # a newer version
    world.run("From a dump")
    assert world.query("SELECT count(*) FROM transactions_transaction", "new") == "0"
    assert world.query("SELECT count(*) FROM accounts_account", "new") == "2"
    world.query("ALTER ROLE ledger_maintenance PASSWORD '…'", "new")
    world.take_over("new")
    world.shell("python manage.py audit_balances", role="ledger_maintenance")
    world.require_all_run()
