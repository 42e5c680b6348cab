"""The verdict on each account: its history, its past, and what its rows and events say of each other."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.faults.charges import DRIFT, LEAKED, NEGATIVE, Charge
from tests.faults.ledger import Ledger, Row


def judge_account(account: Row, ledger: Ledger) -> Iterator[Charge]:
    id = account["id"]
    rows = [row for row in ledger.transactions if row["account_id"] == id]
    posted = sorted((row for row in rows if row["status"] == "POSTED"), key=lambda row: row["version"])
    events = [event for event in ledger.events if event["stream"] == id]
    total = Decimal(0)
    for version, row in enumerate(posted, start=1):
        total += get_change(row)
        if row["version"] != version or row["balance_after"] != total:
            yield DRIFT, f"{id}: version {version} with {total} is {row}"
        if total < 0:
            yield NEGATIVE, f"{id}: {total} at version {version}"
    if (account["balance"], account["version"]) != (total, len(posted)):
        yield DRIFT, f"{id} has {account['balance']}, its {len(posted)} rows add up to {total}"
    if [event["sequence"] for event in events] != list(range(1, account["event_sequence"] + 1)):
        yield DRIFT, f"{id}: the sequence of its events has gaps"
    of_rows = [event for event in events if event["type"].startswith("transaction.")]
    if [get_told(event) for event in of_rows] != [
        (row["id"], f"transaction.{row['status'].lower()}", row["recorded_at"]) for row in rows
    ]:
        yield DRIFT, f"{id}: its events are not those of its rows, in their order"
    if any(later["recorded_at"] < earlier["recorded_at"] for earlier, later in pairwise(events)):
        yield DRIFT, f"{id}: the times of its events fall"
    if [row["seq"] for row in rows] != list(range(1, account["seq"] + 1)):
        yield DRIFT, f"{id}: the numbers of its rows have gaps"
    moments = [row["recorded_at"] for row in rows]
    if any(later <= earlier for earlier, later in pairwise(moments)):
        yield DRIFT, f"{id}: recorded_at does not rise"
    if [row["version"] for row in rows if row["version"]] != [row["version"] for row in posted]:
        yield DRIFT, f"{id}: versions and recorded_at are in different orders"
    if (account["withdrawn_on"], account["withdrawn"]) != (expected := add_up_withdrawals(posted)):
        yield DRIFT, f"{id} has withdrawn {account['withdrawn']} on {account['withdrawn_on']}, not {expected}"
    yield from judge_past(posted)


def get_told(event: Row) -> tuple[Any, ...]:
    """What an event says of the row that it is about."""
    return event["told"], event["type"], event["recorded_at"]


def add_up_withdrawals(posted: list[Row]) -> tuple[date | None, Decimal]:
    """The UTC day of the last withdrawal, and what that day's took; a reversal is none, nor a collection."""
    days = [
        (row["recorded_at"].astimezone(UTC).date(), row["amount"])
        for row in posted
        if row["type"] == "WITHDRAW" and row["reverses"] is None and row["claim"] is None
    ]
    last = days[-1][0] if days else None
    return last, sum((amount for day, amount in days if day == last), Decimal(0))


def judge_past(posted: list[Row]) -> Iterator[Charge]:
    """The balance at the end of every effective instant, as it was known after every withdrawal."""
    known: list[tuple[datetime, Decimal]] = []
    for row in posted:
        insort(known, (row["effective_at"], get_change(row)))
        if row["type"] == "DEPOSIT":
            continue
        balance = Decimal(0)
        for place, (instant, change) in enumerate(known, start=1):
            balance += change
            ends = place == len(known) or known[place][0] > instant
            if ends and balance < 0:
                yield NEGATIVE, f"{row['account_id']}: {balance} at {instant}, known from {row['version']}"
                break


def judge_money(ledger: Ledger) -> Iterator[Charge]:
    """Money comes from outside, from another account or by an exchange, and is nowhere else: per currency."""
    currencies = {account["id"]: account["currency"] for account in ledger.accounts}
    posted = [row for row in ledger.transactions if row["status"] == "POSTED"]
    posted = [row for row in posted if row["account_id"] in currencies]
    legs = group(posted, "transfer")
    came = dict.fromkeys(currencies.values(), Decimal(0))
    kept = came.copy()
    for row in posted:
        of_transfer = {currencies[leg["account_id"]] for leg in legs.get(row["transfer"], [])}
        if row["transfer"] is None or len(of_transfer) > 1:
            came[currencies[row["account_id"]]] += get_change(row)
    for account in ledger.accounts:
        kept[account["currency"]] += account["balance"]
    for currency, total in came.items():
        if total != kept[currency]:
            yield (
                LEAKED,
                f"{total} {currency} came from outside or by exchanges, accounts have {kept[currency]}",
            )


def group(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        if row[column] is not None:
            groups[row[column]].append(row)
    return groups


def get_change(row: Row) -> Decimal:
    amount: Decimal = row["amount"]
    return amount if row["type"] == "DEPOSIT" else -amount
