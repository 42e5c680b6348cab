"""The half of the door of HTTP by which lists go in, and what is promised of their answers."""

from datetime import datetime
from uuid import UUID

from tests.histories.answers import Answer
from tests.histories.replies import (
    UNDERSTOOD_AND_REFUSED,
    is_refused,
    read_refusal,
    read_replayed,
    require_decline,
    strip,
    write_destinations,
    write_reversal,
)
from tests.reference_captures import Capture, CaptureOfItem
from tests.reference_commands import Move, Opening, Placement, Transfer
from tests.reference_lists import Release
from tests.reference_reversals import Reversal

DERIVED = 8
NAMES = {
    Move: "transaction",
    Transfer: "transfer",
    Reversal: "reversal",
    Capture: "capture",
    CaptureOfItem: "capture",
    Placement: "hold",
    Release: "release",
    Opening: "claim",
}
OF_REVERSALS = ("reverses", "part")  # of a claim, and not sent with others


class ListsOverHttp:
    def post_list(self, asks, ledger, *, id, atomic):
        """A list of all kinds of commands. An id that is derived from the list's is not sent."""
        items = [{"command": NAMES[type(ask)], **self._write_item(ask)} for ask in asks]
        return self._read_list_answer(
            self._post("batches", id=id, atomic=atomic, commands=items), asks, ledger, atomic=atomic
        )

    def take_back(self, asks, ledger, *, id, batch, reason):
        response = self._post(f"batches/{batch}/reverse", id=id, reason=reason)
        return self._read_list_answer(response, asks, ledger, atomic=True)

    def read_list(self, id):
        """When it was decided, its transactions, and its holds."""
        shown = self._get(f"batches/{id}")
        return datetime.fromisoformat(shown["recorded_at"]), shown["transactions"], shown["holds"]

    def _read_list_answer(self, response, asks, ledger, *, atomic):
        body = response.json()
        if "results" not in body:
            return Answer(refusal=read_refusal(response.status_code, body))
        answer = Answer(replayed=read_replayed(response), request_id=response.headers["X-Request-Id"])
        answer.collected = self._read_collected(body)
        statuses = []
        for ask, result in zip(asks, body["results"], strict=True):
            problem, ids = result.get("problem"), [each.id for each in ask.list_commands(ledger)]
            is_list_declined = isinstance(ask, Release) and problem and problem["code"] == "batch_declined"
            if problem and is_refused(problem) and not is_list_declined:
                answer.refusals |= dict.fromkeys(ids, read_refusal(result["status"], problem))
            elif isinstance(ask, Release):
                assert result["status"] == (UNDERSTOOD_AND_REFUSED if problem else 200)
                answer.holds[ask.id] = result.get("hold")
            elif isinstance(ask, Placement):
                answer.holds[ask.id] = self._read_placed(ask, result)
                statuses.append("DECLINED" if problem else "POSTED")
            elif isinstance(ask, Opening) or getattr(ask, "claim", False):
                answer.claims[ask.id] = self._read_claim(ask, result)
                statuses.append("DECLINED" if problem else "POSTED")
            else:
                answer.rows |= self._read_rows(ids, result)
        statuses += [row["status"] for row in answer.rows.values()]
        all_posted = "DECLINED" not in statuses
        assert response.status_code == (200 if all_posted or not atomic else UNDERSTOOD_AND_REFUSED)
        assert body.get("code") == (None if response.status_code == 200 else "batch_declined")
        return answer

    def _read_placed(self, ask, result):
        if "problem" not in result:
            assert result["status"] == 201
            return result["hold"]
        shown = self._get(f"holds/{ask.id}")
        require_decline(result["status"], result["problem"], shown)
        return shown

    def _read_claim(self, ask, result):
        """As it is read, which must be as it was answered with."""
        shown = self._get(f"claims/{ask.id}")
        if "problem" in result:
            require_decline(result["status"], result["problem"], shown)
        else:
            assert (result["status"], result["claim"]) == (201, shown)
        return shown

    def _read_collected(self, body):
        """The ids, of rows that are as the answer has them."""
        told = body.pop("collected", [])
        for each in told:
            row = self.read_transaction(each["transaction"])
            assert each == {"claim": row["claim"], "transaction": row["id"], "amount": row["amount"]}
        return [UUID(each["transaction"]) for each in told]

    def _read_rows(self, ids, result):
        """As they are read, which must be as they were answered with."""
        rows = [self.read_transaction(id) for id in ids]
        if "problem" in result:
            culprit = next((row for row in rows if row["decline_reason"] != "transfer_declined"), rows[0])
            require_decline(result["status"], result["problem"], culprit)
        elif "transfers" in result:
            shown = [leg for each in result["transfers"] for leg in (each["source"], each["destination"])]
            assert (result["status"], list(map(strip, shown))) == (201, list(map(strip, rows)))
        else:
            legs = dict(zip(("source", "destination"), map(strip, rows), strict=False))
            shown = result.get("transfer") or {"source": result["transaction"]}
            assert {name: strip(row) for name, row in shown.items() if name != "id"} == legs
            assert (result["status"], shown.get("id")) == (201, rows[0]["transfer"])
        return dict(zip(ids, rows, strict=True))

    def _write_item(self, ask):
        body = {name: value for name, value in vars(ask).items() if name != "id"}
        if isinstance(ask, Reversal):
            body = {name: value for name, value in write_reversal(ask).items() if name != "id"}
            body["transaction"] = ask.target
        if isinstance(ask, Opening):
            body = {name: value for name, value in body.items() if name not in OF_REVERSALS}
        if isinstance(ask, Capture):
            body = write_destinations(body)
        if isinstance(ask, Release | CaptureOfItem):
            item = body.pop("item")
            del body["account"]
            body["hold"] = ask.hold if item is None else f"#{item}"
        if isinstance(ask, Release):
            del body["if_open"]
            return body
        return body if ask.id.version == DERIVED else {"id": ask.id, **body}
