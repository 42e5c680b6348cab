"""What an answer of the service means to a client: one of six classes, and nothing else may come.

A request gets a reply for every row that it asks for: a batch one for each transaction, a transfer one for
each leg.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.operations import Operation
from tests.service import Service

OK = "ok"  # decided now: posted, placed, or declined for ever
REPLAY = "replay"  # decided before
EITHER = "either"  # one of these two: a release does not say, nor a batch that is not all old
DEFINITIVE = "definitive"  # refused, and nothing recorded
RETRYABLE = "retryable"  # nothing was done
AMBIGUOUS = "ambiguous"  # nobody knows
UNEXPECTED = "unexpected"
CLASSES = (OK, REPLAY, EITHER, DEFINITIVE, RETRYABLE, AMBIGUOUS, UNEXPECTED)

TRANSFER_DECLINED, BATCH_DECLINED, HOLD_NOT_OPEN = "transfer_declined", "batch_declined", "hold_not_open"
DECLINES = {
    "insufficient_funds": 402,
    "insufficient_funds_at": 402,
    "already_reversed": 422,
    "limit_exceeded": 422,
    HOLD_NOT_OPEN: 422,
    TRANSFER_DECLINED: 422,
    BATCH_DECLINED: 422,
}

Answer = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What was told of one row."""

    operation: Operation
    id: str
    meaning: str
    status: int
    answer: Answer

    @property
    def kind(self) -> str:
        return self.operation.kind

    @property
    def asked(self) -> dict[str, Any]:
        return self.operation.asked[self.id]

    @property
    def is_final(self) -> bool:
        return self.meaning not in (RETRYABLE, AMBIGUOUS)

    @property
    def is_decided(self) -> bool:
        return self.meaning in (OK, REPLAY, EITHER)


def send(service: Service, operation: Operation) -> list[Reply]:
    def tell_all(meaning: str, status: int, answer: Answer) -> list[Reply]:
        return [Reply(operation, id, meaning, status, answer) for id in operation.asked]

    try:
        status, text, headers = service.send("POST", operation.path, operation.body)
    except (OSError, http.client.HTTPException) as error:
        return tell_all(AMBIGUOUS, 0, {"error": repr(error)})
    try:
        answer = json.loads(text)
    except ValueError:
        return tell_all(UNEXPECTED, status, {"text": text})
    return list(read_answer(operation, status, answer, replayed="Idempotency-Replayed" in headers))


def read_answer(operation: Operation, status: int, answer: Answer, *, replayed: bool) -> Iterator[Reply]:
    """A final refusal is only expected where the operation asks for it; a 500 is a fault of the ledger's."""
    decided = REPLAY if replayed else EITHER if operation.is_mixed else OK
    for id, status_of_one, answer_of_one in tell_each(operation, status, answer):
        meaning = classify(operation, id, status_of_one, answer_of_one, decided)
        yield Reply(operation, id, meaning, status_of_one, answer_of_one)


def tell_each(operation: Operation, status: int, answer: Answer) -> Iterator[tuple[str, int, Answer]]:
    """The status and the answer for each row, as if it had been asked for alone."""
    ids = operation.asked
    if "results" in answer and len(answer["results"]) == len(ids):
        for id, result in zip(ids, answer["results"], strict=True):
            yield id, result["status"], result.get("transaction") or result["problem"]
    elif "source" in answer:
        legs = {leg["id"]: leg for leg in (answer["source"], answer["destination"])}
        for id in ids:
            yield id, status, legs.get(id, {})
    elif "transfer" in answer and answer.get("id") in ids and answer.get("code"):  # of the leg in whose way
        for id in ids:
            other = {"id": id, "code": TRANSFER_DECLINED, "culprit": answer["id"]}
            yield (id, status, answer) if id == answer["id"] else (id, 422, other)
    else:
        for id in ids:
            yield id, status, answer


def classify(operation: Operation, id: str, status: int, answer: Answer, decided: str) -> str:
    code = answer.get("code")
    if code and code in operation.refusals.get(id, []):
        return DEFINITIVE
    if operation.is_release and (status == 200 or (status, code) == (422, HOLD_NOT_OPEN)):
        return decided
    if (status == 201 and "id" in answer) or (code in DECLINES and status == DECLINES[code]):
        return decided
    if (status, code) in {(503, "busy"), (409, "request_in_progress")}:
        return RETRYABLE
    return AMBIGUOUS if (status, code) == (503, "database_unavailable") else UNEXPECTED


def insist(
    service: Service, operation: Operation, keep: Callable[[Reply], Any], *, seconds: float, pause: float
) -> list[Reply]:
    """The client's rule: the same request until its answer is final, or the seconds are over."""
    deadline = time.monotonic() + seconds
    while True:
        replies = send(service, operation)
        for reply in replies:
            keep(reply)
        if all(reply.is_final for reply in replies) or time.monotonic() > deadline:
            return replies
        time.sleep(pause)
