"""docs/operations.md: the first time, and what a machine does every night."""

import pytest

from tests.operations.machines import DEBIAN
from tests.operations.world import world_of

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(600)]


def test_a_ledger_is_begun_and_looked_after_as_the_page_says():
    with world_of("operations.md", DEBIAN) as world:
        world.start()
        output = world.run("The first time")
        assert "The roles are as they should be." in output
        assert '"name":"shop"' in output
        assert world.query("SELECT username FROM accounts_user WHERE is_superuser") == "anna"
        world.places["ledger.cron"] = lambda text: run_each(world, text)
        world.run("Calendar")
        assert world.query("SELECT count(*) FROM transactions_auditrun WHERE findings = 0") == "2"
        [anchor] = (world.folder / "elsewhere").glob("anchor-*.jsonl")
        assert anchor.stat().st_size
        world.require_all_run()


def run_each(world, text):
    """What cron would do, each line once."""
    lines = [line for line in text.splitlines() if not line.startswith(("#", "SHELL"))]
    assert len(lines) == 10
    for line in lines:
        *_, user, command = line.split(maxsplit=6)
        assert user == "postgres"
        world.shell(command.replace(r"\%", "%"))
