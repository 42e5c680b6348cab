"""A short run of the hammer: every kind of operation under every kind of fault."""

import pytest

from tests.crossings.oracle import FELL, ROSE
from tests.faults.makers import MAKERS
from tests.faults.nemesis import KINDS
from tests.faults.replies import AMBIGUOUS, DEFINITIVE, EITHER, OK, REPLAY

DERIVED = 8  # the version of ids that are made of other ones

pytestmark = [pytest.mark.serve, pytest.mark.timeout(300)]


def test_under_every_kind_of_fault_nothing_is_lost_doubled_wrong_torn_or_negative(report):
    assert report.verdict.charges == [], str(report)
    assert report.faults == dict.fromkeys(KINDS, 1)
    assert report.harmed.total() > 0
    assert set(MAKERS) <= set(report.kinds)
    for meaning in (OK, REPLAY, EITHER, DEFINITIVE, AMBIGUOUS):
        assert report.verdict.replies[meaning] > 0, str(report)
    posted = [row for row in report.ledger.transactions if row["status"] == "POSTED"]
    for column in ("transfer", "reverses", "hold", "batch", "claim"):
        assert any(row[column] for row in posted), str(report)
        assert column == "batch" or any(row[column] and row["batch"] for row in posted), str(report)
    assert any(row["hold"] and row["transfer"] for row in posted), str(report)
    assert {"hold.changed", "hold.change_declined"} <= {event["type"] for event in report.ledger.events}
    assert any(hold["batch"] and hold["id"].version == DERIVED for hold in report.ledger.holds), str(report)
    assert any("reverses" in batch["metadata"] for batch in report.ledger.batches), str(report)
    claims = [claim for claim in report.ledger.claims if claim["status"] != "DECLINED"]
    assert any(claim["collections"] > 1 for claim in claims), str(report)  # owed for a while
    for column in ("destination", "reverses", "batch"):
        assert any(claim[column] and claim["collected"] for claim in claims), str(report)
    assert {FELL, ROSE} <= {event["type"] for event in report.ledger.events}, str(report)
    taken_back = [row["reverses"] for row in posted if row["reverses"]]
    assert len(set(taken_back)) < len(taken_back), str(report)  # several parts of one
    declined = {row["decline_reason"] for row in report.ledger.transactions}
    assert {"insufficient_funds", "insufficient_funds_at", "transfer_declined", "batch_declined"} <= declined
