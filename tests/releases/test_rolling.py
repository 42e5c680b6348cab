"""The next release comes onto a ledger in use: nobody gets an error, and nothing is lost or doubled."""

import json

import pytest

from tests.faults.replies import OK, REPLAY
from tests.releases.next_release import make_next_release
from tests.releases.rolling import read_changes, rolling
from tests.servers import PROJECT

pytestmark = [pytest.mark.drill, pytest.mark.serve, pytest.mark.timeout(300)]

REPLIES = 150  # at least, in each part of the roll
CHANGES = [("channel",), ("transaction_by_channel",), ("transaction_channel_is_known",)]


def test_old_and_new_code_serve_together_while_the_tables_change(tmp_path):
    release = make_next_release(tmp_path)
    with rolling(tmp_path) as roll:
        with roll.under_load() as rotation:
            roll.go_on(REPLIES)
            assert read_changes(roll.postgres) == []
            before = len(roll.replies)
            roll.migrate(release)
            assert len(roll.replies) > before
            assert read_changes(roll.postgres) == CHANGES
            assert roll.old.send("GET", "/readyz")[0] == 200  # it knows nothing of what came
            roll.go_on(REPLIES)
            new = roll.serve("new", release)
            assert new.send("GET", "/readyz")[0] == 200
            rotation.add(new)
            roll.go_on(2 * REPLIES)
            old_audit = roll.command(PROJECT, "audit_balances", "--json")
            rotation.remove(roll.old)
            assert roll.old.stop() == 0
            roll.go_on(REPLIES)
        verdict = roll.judge(new)
        new_audit = roll.command(release, "audit_balances")
    assert verdict.charges == []
    assert [reply for reply in roll.replies if reply.status == 0 or reply.status >= 500] == []
    assert (roll.refused, roll.reads > REPLIES) == ([], True)
    assert verdict.replies[OK] > REPLIES < verdict.replies[REPLAY]
    assert new_audit.returncode == 0, new_audit.stdout
    # The present code's audit knows the tables as they were, and names what has come.
    findings = [json.loads(line) for line in old_audit.stdout.splitlines()[:-1]]
    assert {(found["check"], found["expected"]) for found in findings} == {
        ("guards", "index none"),
        ("guards", "constraint none"),
    }
