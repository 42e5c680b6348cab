"""What the record tells of corrections: an entry of the making of each, one of the second person's answer."""

from collections.abc import Sequence
from typing import Any

from events import record
from ledger.callers import Caller
from ledger.values import format_optional_time, format_time
from transactions.models import Correction


def record_making(corrections: Sequence[Correction], caller: Caller) -> None:
    for each in corrections:
        made = "proposed" if each.needs_approval else each.status.lower()
        _write(caller, each, made, _describe_making(each), each.reason)


def record_decision(corrections: Sequence[Correction], caller: Caller, what: str, reason: str) -> None:
    """`what` is approved or rejected."""
    for each in corrections:
        _write(caller, each, what, _describe_decision(each), reason)


def _describe_making(correction: Correction) -> dict[str, Any]:
    """What its first entry says of it; the audit compares it with the row."""
    return {
        "kind": correction.kind,
        "account": str(correction.account_id),
        "type": correction.type,
        "amount": f"{correction.amount:f}",
        "reference": correction.reference,
        "reverses": correction.reverses and str(correction.reverses),
        "claim": correction.claim and str(correction.claim),
        "destination": correction.destination and str(correction.destination),
        "batch": correction.batch and str(correction.batch),
        "place": correction.place,
        "batch_size": correction.batch_size,
        "made_at": format_time(correction.made_at),
        "needs_approval": correction.needs_approval,
        **_describe_decision(correction),
    }


def _describe_decision(correction: Correction) -> dict[str, Any]:
    return {"status": str(correction.status), "decided_at": format_optional_time(correction.decided_at)}


def _write(caller: Caller, correction: Correction, what: str, after: dict[str, Any], reason: str) -> None:
    record.write(
        caller,
        type=f"correction.{what}",
        subject="correction",
        subject_id=correction.id,
        owner=correction.account.user_id,
        before={"status": "WAITING"} if what in ("approved", "rejected") else None,
        after=after,
        reason=reason,
    )
