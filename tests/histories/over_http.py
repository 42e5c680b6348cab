"""The door for everybody else: HTTP, and what is promised of statuses, headers and problems."""

from datetime import datetime
from functools import singledispatchmethod
from uuid import UUID

from tests.conftest import make_client
from tests.histories.answers import Answer, Shown
from tests.histories.rehearsing import rehearse_and_send
from tests.histories.replies import (
    UNDERSTOOD_AND_REFUSED,
    is_refused,
    make_plain,
    read_refusal,
    read_replayed,
    require_decline,
    strip,
    write_destinations,
)
from tests.reference_captures import Capture, CaptureOfItem
from tests.reference_commands import Move, Placement, Transfer, format_time
from tests.reference_lists import Release
from tests.reference_reversals import Reversal

API = "/api/v1"
DERIVED = 8
NAMES = {
    Move: "transaction",
    Transfer: "transfer",
    Reversal: "reversal",
    Capture: "capture",
    CaptureOfItem: "capture",
    Placement: "hold",
    Release: "release",
}
CHANGES = {"FROZEN": "freeze", "ACTIVE": "unfreeze", "CLOSED": "close"}


class OverHttp:
    def __init__(self):
        self.client = make_client("api-post", "api-admin")

    def send(self, ask, commands):
        response = self._request(ask)
        body = response.json()
        if is_refused(body):
            return Answer(refusal=read_refusal(response.status_code, body))
        answer = Answer(replayed=read_replayed(response), request_id=response.headers["X-Request-Id"])
        answer.rows = {command.id: self.read_transaction(command.id) for command in commands}
        rows = list(answer.rows.values())
        shown = rows[0]
        if isinstance(ask, Capture) and isinstance(ask.to, tuple):
            pairs = zip(rows[::2], rows[1::2], strict=True)
            parts = [{"id": one["transfer"], "source": one, "destination": other} for one, other in pairs]
            assert parts == [self._get(f"transfers/{part['id']}") for part in parts]
            shown = {"id": str(ask.id), "transfers": parts}
        elif len(rows) > 1:
            shown = {"id": rows[0]["transfer"], "source": rows[0], "destination": rows[1]}
            assert self._get(f"transfers/{rows[0]['transfer']}") == shown
        if response.status_code == 201:
            body.pop("collected", None)
            assert body == shown
        else:
            culprit = next((row for row in rows if row["decline_reason"] != "transfer_declined"), rows[0])
            require_decline(response.status_code, body, culprit)
        return answer

    @singledispatchmethod
    def _request(self, ask):
        raise NotImplementedError

    @_request.register
    def _(self, ask: Move | Transfer):
        return self._post("transfers" if isinstance(ask, Transfer) else "transactions", **vars(ask))

    @_request.register
    def _(self, ask: Reversal):
        asked = {name: value for name, value in vars(ask).items() if name != "target"}
        return self._post(f"transactions/{ask.target}/reverse", **asked)

    @_request.register
    def _(self, ask: Capture):
        asked = {name: value for name, value in vars(ask).items() if name != "hold"}
        return self._post(f"holds/{ask.hold}/capture", **write_destinations(asked))

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
        body = {name: value for name, value in vars(ask).items() if name not in ("id", "target")}
        if isinstance(ask, Reversal):
            body["transaction"] = ask.target
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

    def place_hold(self, command):
        response = self._post("holds", **vars(command))
        body = response.json()
        if is_refused(body):
            return Shown(refusal=read_refusal(response.status_code, body))
        shown = body
        if response.status_code != 201:
            shown = self._get(f"holds/{command.id}")
            require_decline(response.status_code, body, shown)
        return Shown(resource=shown, replayed=read_replayed(response))

    def read_hold_etag(self, id):
        return self.client.get(f"{API}/holds/{id}").headers["ETag"].strip('"')

    def change_hold(self, id, changes, etag, expected):
        headers = {} if etag is None else {"If-Match": f'W/"{etag}", "{etag}"'}
        asked = changes if expected is None else {**changes, "expected_sequence": expected}
        path = f"{API}/holds/{id}"
        response = rehearse_and_send(self.client, path, make_plain(asked), "patch", headers=headers)
        if response.status_code == 200:
            assert response.headers["ETag"].strip('"') == self.read_hold_etag(id)
        return self._change(response)

    def open_claim(self, command):
        asked = dict(vars(command))
        response = self._post(f"accounts/{asked.pop('account')}/claims", **asked)
        body = response.json()
        if is_refused(body):
            return Shown(refusal=read_refusal(response.status_code, body))
        shown = body
        if response.status_code != 201:
            shown = self._get(f"claims/{command.id}")
            require_decline(response.status_code, body, shown)
        return Shown(resource=shown, replayed=read_replayed(response))

    def waive_claim(self, id, reason):
        return self._change(self._post(f"claims/{id}/waive", reason=reason))

    def list_claims(self, account, status):
        """By their ids."""
        page = self._get("claims", account=account, status=status, page_size=500)
        return {UUID(claim["id"]): claim for claim in page["results"]}

    def release_hold(self, id, expected):
        body = None if expected is None else {"expected_sequence": expected}
        return self._change(rehearse_and_send(self.client, f"{API}/holds/{id}/release", body))

    def set_limits(self, id, limits, expected):
        return self._change(self._post(f"accounts/{id}/limits", expected_sequence=expected, **limits))

    def set_threshold(self, account, of, amount, expected):
        body = {"of": of, "amount": amount, "expected_sequence": expected}
        response = self._post(f"accounts/{account}/thresholds", **body)
        if response.status_code != 201:
            return Shown(refusal=read_refusal(response.status_code, response.json()))
        return Shown(resource=response.json(), replayed=read_replayed(response))

    def remove_threshold(self, threshold):
        assert self.client.delete(f"{API}/thresholds/{threshold.id}").status_code == 204

    def list_thresholds(self, account):
        return self._get(f"accounts/{account}/thresholds")["results"]

    def set_status(self, id, status, reason, expected):
        path = f"accounts/{id}/{CHANGES[status]}"
        return self._change(self._post(path, reason=reason, expected_sequence=expected))

    def read_etag(self, id):
        return self.client.get(f"{API}/accounts/{id}").headers["ETag"].strip('"')

    def set_metadata(self, id, metadata, etag):
        headers = {} if etag is None else {"If-Match": f'W/"{etag}", "{etag}"'}
        path, body = f"{API}/accounts/{id}", {"metadata": metadata}
        response = self.client.patch(path, body, headers=headers)
        if response.status_code == 200:
            assert response.headers["ETag"].strip('"') == self.read_etag(id)
        return self._change(response)

    def _change(self, response):
        body = response.json()
        if response.status_code == 200:
            return Shown(resource=body)
        return Shown(refusal=read_refusal(response.status_code, body))

    def read_transaction(self, id):
        return self._get(f"transactions/{id}")

    def read_account(self, id):
        return self._get(f"accounts/{id}")

    def list_holds(self, account, status):
        """By their ids."""
        page = self._get("holds", account=account, status=status, page_size=500)
        return {UUID(hold["id"]): hold for hold in page["results"]}

    def read_balance(self, account, at, known_at):
        asked = {"at": at, "known_at": known_at}
        query = {name: format_time(moment) for name, moment in asked.items() if moment}
        return self._get(f"accounts/{account}/balance", **query)

    def read_statement(self, account, first_day, last_day, zone):
        days = {"from": first_day.isoformat(), "to": last_day.isoformat()}
        return self._get(f"accounts/{account}/statement", **days, tz=str(zone))

    def _post(self, path, **body):
        return rehearse_and_send(self.client, f"{API}/{path}", make_plain(body))

    def _get(self, path, **query):
        response = self.client.get(f"{API}/{path}", query)
        assert response.status_code == 200, response.content
        return response.json()
