"""The verdict on lists: each is there and made what it was asked for, an atomic one all or nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.faults.charges import GHOSTS, LOST, TORN, WRONG, Charge
from tests.faults.ledger import Ledger, Row
from tests.faults.operations import Operation
from tests.faults.replies import BATCH_DECLINED, TRANSFER_DECLINED, Reply
from tests.faults.verdict_on_accounts import group
from tests.faults.verdict_on_groups import judge_group


def judge_lists(replies: Iterable[Reply], ledger: Ledger) -> Iterator[Charge]:
    sent: dict[str, list[Operation]] = defaultdict(list)
    decided: dict[str, Operation] = {}
    for reply in replies:
        if reply.operation.is_list:
            sent[reply.operation.key].append(reply.operation)
            if reply.is_decided and (reply.status == 201 or not reply.is_release):
                decided[reply.operation.key] = reply.operation
    there = {str(batch["id"]): batch for batch in ledger.batches}
    rows = [row for row in ledger.transactions if row["claim"] is None]  # what is collected follows of them
    made = group([*rows, *ledger.holds, *ledger.claims], "batch")
    for id, rows in made.items():
        asked = {each for operation in sent.get(str(id), []) for each in operation.asked}
        if str(id) not in there:
            yield LOST, f"there is no list {id} of {rows}"
        if unasked := [str(row["id"]) for row in rows if str(row["id"]) not in asked]:
            yield GHOSTS, f"nobody sent {unasked} in the list {id}"
    for id, batch in there.items():
        if id not in sent:
            yield GHOSTS, f"nobody sent the list {id}"
        elif id in decided and batch["atomic"] != decided[id].is_atomic:
            yield WRONG, f"{batch} was asked for as {decided[id]}"
    for id, operation in decided.items():
        if id not in there:
            yield LOST, f"the list {id} was decided and is not there"
        elif operation.is_atomic:
            yield from judge_atomic(operation, made.get(there[id]["id"], []))


def judge_atomic(operation: Operation, rows: list[Row]) -> Iterator[Charge]:
    """What takes a list back makes as much as there was left."""
    wanted = [id for id, row in operation.asked.items() if row.keys() != {"hold"}]
    if not operation.takes_list_back and len(rows) != len(wanted):
        yield TORN, f"{len(rows)} of the batch {wanted} are there"
    elif rows:
        yield from judge_group(rows, [BATCH_DECLINED, TRANSFER_DECLINED])
