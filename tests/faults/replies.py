"""What an answer of the service means to a client: one of six classes, and nothing else may come.

A request gets a reply for every row that it asks for: a list one for each that its items make, a transfer one
for each leg.
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
    "reversal_too_large": 422,
    "reversal_too_small": 422,
    "limit_exceeded": 422,
    "too_many_claims": 422,
    HOLD_NOT_OPEN: 422,
    TRANSFER_DECLINED: 422,
    BATCH_DECLINED: 422,
}

# What a change of a hold may be told: that it is so, or that it is declined or comes too late.
CHANGES = {(200, None), (402, "insufficient_funds"), (422, HOLD_NOT_OPEN)}
WAIVERS = {(200, None), (422, "claim_not_open")}

Answer = dict[str, Any]
NOTHING: Answer = {}  # was made, since there was nothing to take back


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
    def is_release(self) -> bool:
        return self.asked.keys() == {"hold"}

    @property
    def is_apart(self) -> bool:
        """What has no id: a release, a change or a waiver, judged by what it is about; and a threshold."""
        return self.asked.keys() <= {"hold", "changes", "claim", "threshold"}

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
        status, text, headers = service.send(operation.method, operation.path, operation.body)
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
    ids = list(operation.asked)
    if "results" in answer:
        yield from tell_items(operation, answer["results"])
    else:
        yield from tell_one(ids, status, answer)


def tell_items(operation: Operation, results: list[Answer]) -> Iterator[tuple[str, int, Answer]]:
    """What takes a list back leaves out what there was not to take back: its answers say what they are of."""
    told: dict[str, tuple[int, Answer]] = {}
    for place, result in enumerate(results):
        content = next(
            result[name]
            for name in ("problem", "transfer", "transfers", "transaction", "hold", "claim")
            if name in result
        )
        ids = [] if operation.takes_list_back else operation.items[place]
        if operation.takes_list_back:
            ids = find_ids(operation, content)
        told |= {id: (status, answer) for id, status, answer in tell_one(ids, result["status"], content)}
    for id in operation.asked:
        yield id, *told.get(id, (200, NOTHING))


def find_ids(operation: Operation, content: Answer) -> list[str]:
    """Those of the rows that this is told of: of a hold its release, of a transfer both legs."""
    if "remaining" in content:
        return [f"release of {content['id']}"]
    id = content["source"]["id"] if "source" in content else content.get("id")
    if id is None:
        return []  # of a release that was declined with its list
    transfer = operation.asked.get(id, {}).get("transfer")
    rows = operation.asked.items()
    return [each for each, row in rows if each == id or (transfer and row.get("transfer") == transfer)]


def tell_one(ids: list[str], status: int, answer: Answer) -> Iterator[tuple[str, int, Answer]]:
    parts = (
        answer if isinstance(answer, list) else answer.get("transfers", [answer])
    )  # of an item they are it
    if "source" in parts[0]:
        legs = {leg["id"]: leg for part in parts for leg in (part["source"], part["destination"])}
        for id in ids:
            yield id, status, legs.get(id, {})
    elif len(ids) > 1 and answer.get("id") in ids and answer.get("code"):  # of the leg in whose way
        other = {"code": TRANSFER_DECLINED, "culprit": answer["id"]}
        if answer["code"] == BATCH_DECLINED:  # or of both
            other = {name: answer[name] for name in ("code", "culprit")}
        for id in ids:
            yield (id, status, answer) if id == answer["id"] else (id, 422, {"id": id, **other})
    else:
        for id in ids:
            yield id, status, answer


def classify(operation: Operation, id: str, status: int, answer: Answer, decided: str) -> str:
    code = answer.get("code")
    if answer is NOTHING and operation.takes_list_back:
        return DEFINITIVE
    asked = operation.asked[id]
    is_release = asked.keys() == {"hold"}
    if "changes" in asked and (status, code) in CHANGES:
        return decided
    if asked.keys() == {"claim"} and (status, code) in WAIVERS:
        return decided
    tells_of_hold = is_release and code == HOLD_NOT_OPEN and not operation.is_atomic
    if code in operation.refusals.get(id, []) and "id" not in answer and not tells_of_hold:
        return DEFINITIVE
    if is_release and (status == 200 or (status == 422 and code in (HOLD_NOT_OPEN, BATCH_DECLINED))):
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
