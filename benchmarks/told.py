"""What the service told its users of money, and whether the ledger is exactly that."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

Row = dict[str, str]  # account, type, amount and status of a transaction; of a hold, account and amount
OF_TRANSACTIONS, OF_HOLDS = ("account", "type", "amount", "status"), ("account", "amount")


@dataclass
class Told:
    """Rows by key: the id of a transaction, `hold ID`, or `TRANSFER TYPE` of a transfer's leg, since the
    second leg's id is the service's.

    `unknown` are ids of requests that never got a final answer, `gaps` what was read and cannot be.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    to_dict = asdict

    def hear(self, path: str, body: dict[str, Any], status: int, answer: dict[str, Any]) -> None:
        """The final answer to a command. A refusal other than a decline means that there is no row."""
        if status not in (201, 402, 422) or (status != 201 and "id" not in answer):
            return
        if path == "/holds":
            self.rows[f"hold {body['id']}"] = pick(body, OF_HOLDS)
        elif path == "/transfers":
            for side, type in (("source", "WITHDRAW"), ("destination", "DEPOSIT")):
                row = {"account": body[side], "type": type, "amount": body["amount"]}
                self.rows[f"{body['id']} {type}"] = row | {"status": decide(status)}
        else:
            row = {"account": body["account"], "type": body.get("type", "WITHDRAW")}  # or a capture
            self.rows[body["id"]] = row | {"amount": body["amount"], "status": decide(status)}


def decide(status: int) -> str:
    return "POSTED" if status == 201 else "DECLINED"


def pick(row: dict[str, Any], names: Iterable[str]) -> Row:
    return {name: row[name] for name in names}


def find_wrongs(
    told: Told, transactions: Iterable[dict[str, Any]], holds: Iterable[dict[str, Any]]
) -> Iterator[str]:
    """Every row that was told is there once, as it was told, and no other is; as the API shows rows."""
    yield from (f"{id} never got an answer" for id in told.unknown)
    yield from told.gaps
    found: dict[str, Row] = {}
    keyed = [
        *(
            (f"{row['transfer']} {row['type']}" if row["transfer"] else row["id"], pick(row, OF_TRANSACTIONS))
            for row in transactions
        ),
        *((f"hold {row['id']}", pick(row, OF_HOLDS)) for row in holds),
    ]
    for key, row in keyed:
        if key in found:
            yield f"{key} is there twice"
        found[key] = row
        if key not in told.rows:
            yield f"{key} is there and nobody was told: {row}"
        elif told.rows[key] != row:
            yield f"{key} is {row}, and was told as {told.rows[key]}"
    yield from (f"{key} was told and is lost" for key in told.rows.keys() - found.keys())
