"""What a command has come to, as an item of a list of results: a status, and what was made or the problem."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from accounts.currencies import format_amount
from accounts.errors import DECLINES as DECLINES_OF_HOLDS
from accounts.errors import DECLINES_OF_CLAIMS
from accounts.models import Claim, Hold
from rest.answers import Answer, answer, mark
from rest.errors import describe_problem, send_problem
from rest.viewsets import Request
from transactions import errors
from transactions.models import Transaction
from transactions.posting import Culprit, PostingResult, Rehearsed
from transactions.rest.serializers import OF_BOTH


def describe_result(
    request: Request,
    result: PostingResult,
    *,
    is_placed: bool = False,
    culprit: Culprit | None = None,
    are_parts: bool = False,
) -> dict[str, Any] | None:
    """None for a command that had nothing to do. `is_placed`: its hold is new; `culprit` is what its list was
    declined for; `are_parts`: what it made are the transfers of a capture into several accounts."""
    rows: Any = result.made
    if not rows:
        return None
    if type(rows[0]) is Transaction:
        row = rows[0] if len(rows) == 1 else find_declined(rows)
        if row is None and are_parts:
            return {"status": 201, "transfers": list(map(orjson.Fragment, show_transfers(rows)))}
        if row is None:
            return {"status": 201, "transfer": orjson.Fragment(show_transfer(rows))}
        if row.decline_reason is None:
            return {"status": 201, "transaction": orjson.Fragment(row.as_json)}
        problem = describe_decline(request, row)
    elif type(rows[0]) is Claim:
        if result.claim.decline_reason is None:
            return {"status": 201, "claim": result.claim.to_dict()}
        problem = describe_declined_claim(request, result.claim)
    elif result.hold.decline_reason and (is_placed or result.hold.status != Hold.Status.DECLINED):
        problem = describe_declined_hold(request, result.hold)
    elif culprit is not None and not is_placed:  # a hold that was placed before stays so
        reason, extensions = errors.BATCH_DECLINED, {"culprit": str(culprit.id)}
        problem = describe_problem(request, reason, errors.DECLINES[reason], extensions=extensions)
    else:
        return {"status": 201 if is_placed else 200, "hold": result.hold.to_dict()}
    return {"status": problem["status"], "problem": problem}


def answer_dry_run(
    request: Request, results: Sequence[Any], *, replayed: bool, collected: Sequence[Transaction] = ()
) -> Answer:
    """200 with what would be answered, whatever that is. `replayed`: that is what was decided before."""
    rehearsed: Rehearsed = request.rehearsed
    told = answer(
        {
            "dry_run": True,
            "replayed": replayed,
            "version": rehearsed.version,
            "versions": {str(id): version for id, version in rehearsed.versions.items()},
            "results": results,
            **({"collected": list(map(describe_collection, collected))} if collected else {}),
        }
    )
    told.log_facts = {"outcome": "dry_run"}
    return told


def describe_decline(request: Request, row: Transaction) -> dict[str, Any]:
    """The body of the problem that a declined row is."""
    reason = row.decline_reason or ""
    belongs = {"transfer": str(row.transfer)} if row.transfer else {}
    extensions = {"id": str(row.id), **belongs, **(row.decline_details or {})}
    return describe_problem(request, reason, errors.DECLINES[reason], extensions=extensions)


def describe_declined_hold(request: Request, hold: Hold) -> dict[str, Any]:
    """The body of the problem that a declined hold is, or a declined change of one."""
    reason = hold.decline_reason or ""
    extensions = {"id": str(hold.id), **(hold.decline_details or {})}
    return describe_problem(request, reason, DECLINES_OF_HOLDS[reason], extensions=extensions)


def describe_declined_claim(request: Request, claim: Claim) -> dict[str, Any]:
    """The body of the problem that a declined claim is."""
    reason = claim.decline_reason or ""
    extensions = {"id": str(claim.id), **(claim.decline_details or {})}
    return describe_problem(request, reason, DECLINES_OF_CLAIMS[reason], extensions=extensions)


def describe_collection(row: Transaction) -> dict[str, Any]:
    """What was collected, as the answer lists it that tells of the money it was taken of."""
    amount = format_amount(row.amount, row.currency)
    return {"claim": str(row.claim), "transaction": str(row.id), "amount": amount}


def add_collected(body: bytes, collected: Sequence[Transaction]) -> bytes:
    """The object as JSON with what was collected because of it."""
    return body[:-1] + b',"collected":' + orjson.dumps(list(map(describe_collection, collected))) + b"}"


def find_declined(rows: Sequence[Transaction]) -> Transaction | None:
    """Of what one command has made: the row that was declined, of a transfer the culprit."""
    declined = [row for row in rows if row.decline_reason]
    return next((row for row in declined if row.decline_reason != errors.TRANSFER_DECLINED), None) or (
        declined[0] if declined else None
    )


def show_transfers(rows: Sequence[Transaction]) -> list[bytes]:
    """Several of them as JSON, of the legs of one after the other."""
    return [show_transfer(rows[place : place + 2]) for place in range(0, len(rows), 2)]


def write_parts(id: UUID, rows: Sequence[Transaction]) -> bytes:
    """A capture into several accounts, as JSON."""
    return orjson.dumps({"id": str(id), "transfers": list(map(orjson.Fragment, show_transfers(rows)))})


def show_transfer(rows: Sequence[Transaction]) -> bytes:
    """The two legs as JSON, source first."""
    source, destination = rows
    return write_transfer(source.id, source.as_json, destination.as_json)


def write_transfer(id: UUID, source: bytes, destination: bytes) -> bytes:
    legs = {"source": orjson.Fragment(source), "destination": orjson.Fragment(destination)}
    return orjson.dumps({"id": str(id), **legs})


def respond_claim(request: Request, result: PostingResult) -> Answer:
    """201 with the claim, or the problem that its decline is; a replay says so."""
    if request.is_dry_run:
        return answer_dry_run(request, [describe_result(request, result)], replayed=result.replayed)
    claim = result.claim
    if claim.decline_reason:
        return mark(send_problem(describe_declined_claim(request, claim)), replayed=result.replayed)
    location = {"Location": f"/api/v1/claims/{claim.id}"}
    return mark(answer(claim.to_dict(), 201, location), replayed=result.replayed)


def hide(row: Transaction) -> bytes:
    """The leg as JSON for the holder of the other account: not whose it is, and not how they stand."""
    shown = row.to_dict()
    return orjson.dumps({name: shown[name] if name in OF_BOTH else None for name in shown})
