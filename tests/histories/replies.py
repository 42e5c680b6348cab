"""Requests of the histories as JSON has them, and what is read of the answers."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from tests.histories.answers import make_refusal

STATUS = {
    "insufficient_funds": 402,
    "insufficient_funds_at": 402,
    "version_mismatch": 412,
    "sequence_mismatch": 412,
    "etag_mismatch": 412,
    "amount_scale": 400,
    "expires_at_invalid": 422,
    "not_found": 404,
    "effective_at_in_future": 400,
    "effective_at_too_early": 400,
}
UNDERSTOOD_AND_REFUSED = 422


def write_destinations(asked):
    """Of a capture, as they are sent."""
    to, body = asked["to"], {name: value for name, value in asked.items() if name != "to"}
    if not isinstance(to, tuple):
        return body | ({"destination": to} if to else {})
    del body["amount"]
    return body | {"destinations": [{"destination": id, "amount": amount} for id, amount in to]}


def write_reversal(ask):
    """As it is sent; a claim has no moment of its own, nor a version."""
    asked = {name: value for name, value in vars(ask).items() if name != "target"}
    if ask.claim:
        del asked["effective_at"], asked["expected_version"]
    return asked


def make_plain(value):
    if isinstance(value, dict):
        return {name: make_plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [make_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value


def strip(row):
    """A later command of the same list may take it back."""
    return {name: value for name, value in row.items() if name not in ("reversed", "reversed_by")}


def is_refused(body):
    """A refusal is a problem without the id of something that was recorded."""
    return "code" in body and "id" not in body


def read_refusal(status, problem):
    refusal = make_refusal(problem["code"], problem)
    assert status == STATUS.get(refusal.code, UNDERSTOOD_AND_REFUSED)
    return refusal


def read_replayed(response):
    header = response.headers.get("Idempotency-Replayed")
    assert header in (None, "true")
    return header is not None


def require_decline(status, problem, shown):
    """The problem tells what is recorded."""
    code = shown["decline_reason"]
    assert (status, problem["code"]) == (STATUS.get(code, UNDERSTOOD_AND_REFUSED), code)
    assert problem.items() >= {"id": shown["id"], **shown["decline_details"]}.items()
