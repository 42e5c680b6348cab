"""The door for everybody else: HTTP, and what is promised of statuses, headers and problems."""

from functools import singledispatchmethod
from uuid import UUID

from tests.conftest import make_client
from tests.histories.answers import Answer, Shown
from tests.histories.lists_over_http import OF_REVERSALS, ListsOverHttp
from tests.histories.rehearsing import rehearse_and_send
from tests.histories.replies import (
    is_refused,
    make_plain,
    read_refusal,
    read_replayed,
    require_decline,
    write_destinations,
    write_reversal,
)
from tests.reference_captures import Capture
from tests.reference_commands import Move, Transfer, format_time
from tests.reference_reversals import Reversal

API = "/api/v1"
CHANGES = {"FROZEN": "freeze", "ACTIVE": "unfreeze", "CLOSED": "close"}


class OverHttp(ListsOverHttp):
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
            answer.collected = self._read_collected(body)
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
        return self._post(f"transactions/{ask.target}/reverse", **write_reversal(ask))

    @_request.register
    def _(self, ask: Capture):
        asked = {name: value for name, value in vars(ask).items() if name != "hold"}
        return self._post(f"holds/{ask.hold}/capture", **write_destinations(asked))

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

    def open_claim(self, ask):
        """Of a claim, or of a reversal that is one."""
        if isinstance(ask, Reversal):
            response = self._request(ask)
        else:
            asked = {name: value for name, value in vars(ask).items() if name not in OF_REVERSALS}
            response = self._post(f"accounts/{asked.pop('account')}/claims", **asked)
        body = response.json()
        if is_refused(body):
            return Shown(refusal=read_refusal(response.status_code, body))
        shown = body
        if response.status_code != 201:
            shown = self._get(f"claims/{ask.id}")
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
