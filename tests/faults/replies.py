"""What an answer of the service means to a client: one of five classes, and nothing else may come."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from tests.faults.operations import Operation
from tests.service import Service

OK = "ok"  # decided now: posted, or declined for ever
REPLAY = "replay"  # decided before
DEFINITIVE = "definitive"  # refused, and nothing recorded
RETRYABLE = "retryable"  # nothing was done
AMBIGUOUS = "ambiguous"  # nobody knows
UNEXPECTED = "unexpected"
CLASSES = (OK, REPLAY, DEFINITIVE, RETRYABLE, AMBIGUOUS, UNEXPECTED)

DECLINES = {"insufficient_funds": 402, "insufficient_funds_at": 402}


@dataclass(frozen=True)
class Reply:
    kind: str
    body: dict[str, Any]
    meaning: str
    status: int
    answer: dict[str, Any]

    @property
    def is_final(self) -> bool:
        return self.meaning not in (RETRYABLE, AMBIGUOUS)

    @property
    def is_decided(self) -> bool:
        return self.meaning in (OK, REPLAY)


def send(service: Service, operation: Operation) -> Reply:
    try:
        status, text, headers = service.send("POST", operation.path, operation.body)
    except (OSError, http.client.HTTPException) as error:
        return Reply(operation.kind, operation.body, AMBIGUOUS, 0, {"error": repr(error)})
    try:
        answer = json.loads(text)
    except ValueError:
        return Reply(operation.kind, operation.body, UNEXPECTED, status, {"text": text})
    meaning = classify(operation, status, answer, replayed="Idempotency-Replayed" in headers)
    return Reply(operation.kind, operation.body, meaning, status, answer)


def classify(operation: Operation, status: int, answer: dict[str, Any], *, replayed: bool) -> str:
    """A final refusal is only expected where the operation asks for it; a 500 is a fault of the ledger's."""
    code = answer.get("code")
    if operation.refusal is not None and code == operation.refusal:
        return DEFINITIVE
    if status == 201 or (code in DECLINES and status == DECLINES[code]):
        return REPLAY if replayed else OK
    if (status, code) in {(503, "busy"), (409, "request_in_progress")}:
        return RETRYABLE
    return AMBIGUOUS if (status, code) == (503, "database_unavailable") else UNEXPECTED


def insist(service: Service, operation: Operation, keep, *, seconds: float, pause: float) -> Reply:
    """The client's rule: the same request until its answer is final, or the seconds are over."""
    deadline = time.monotonic() + seconds
    while True:
        reply = send(service, operation)
        keep(reply)
        if reply.is_final or time.monotonic() > deadline:
            return reply
        time.sleep(pause)
