"""Anchors: the heads of all chains at one moment, signed, in a file that is kept outside the database.

Whoever holds the database and the chain's key could write a whole new history. An anchor made before that
remembers the old one: whose each account was, its rules, how far it and the record had come. The file has a
JSON object per line: what it is, one for each account, one for each stream of the record, the signature.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from accounts import operations
from accounts.models import Account
from events import record
from ledger.sql import fetch
from ledger.values import format_time, slice_up
from transactions.proof import audit
from transactions.proof.audit import Finding, take_snapshot

FORMAT = "ledger-anchor-1"
OF_ACCOUNTS = (
    *("id", "user_id", "currency", "status", "credit_limit", "credit_limit_max", "withdraw_max"),
    *("withdraw_day_max", "seq", "version", "event_sequence", "chain_head"),
)
OF_EVENTS = ("status", "credit_limit", "withdraw_max", "withdraw_day_max")  # what their data say
# What is computed again from the rows, so that their own hashes are not taken at their word.
COMPUTED = audit.Scope(checks=frozenset({"chain", "told", "users", "record"}))
CHANGED, GONE = "another: it or one before it was changed", "none: it was cut off or removed"
AT_ONCE = 1000
# The anchored rows of some accounts.
HEADS = """
SELECT account_id, id, chain_hash FROM unnest(%s::uuid[], %s::bigint[]) AS line (account, number), LATERAL (
    SELECT account_id, id, chain_hash FROM transactions_transaction
    WHERE account_id = line.account AND seq = line.number OFFSET 0
) AS row
"""
# What the events of some accounts had told last of them at these numbers.
RULES = """
SELECT line.account, data FROM unnest(%s::uuid[], %s::bigint[]) AS line (account, number), LATERAL (
    SELECT data FROM events_event AS event
    WHERE stream = line.account AND sequence <= line.number AND about IS NULL
        AND starts_with(type, 'account.')
    ORDER BY sequence DESC LIMIT 1
) AS told
"""


class AnchorInvalid(Exception):
    """The file is not an anchor that one of the trusted keys has signed."""


def get_private_key() -> Ed25519PrivateKey:
    """The key that signs, out of the secret ANCHOR_KEY."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(settings.ANCHOR_KEY.encode()).digest())


def get_public_key() -> str:
    return get_private_key().public_key().public_bytes_raw().hex()


def write(file: IO[str]) -> int:
    """Write an anchor of all accounts as they are at this moment; how many there are."""
    digest, count = hashlib.sha256(), 0

    def put(line: dict[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        digest.update(text.encode())
        file.write(text)

    with take_snapshot():
        put(
            {
                "format": FORMAT,
                "made_at": format_time(operations.read_clock()),
                "public_key": get_public_key(),
            }
        )
        accounts = Account._base_manager.order_by("id").values_list(*OF_ACCOUNTS)
        for id, *values in accounts.iterator(chunk_size=10_000):
            put({"account": str(id), **dict(zip(OF_ACCOUNTS[1:], map(_write, values), strict=True))})
            count += 1
        for stream, number, hash in record.read_heads():
            put({"record": str(stream), "number": number, "chain_hash": hash.hex()})
    file.write(json.dumps({"signature": get_private_key().sign(digest.digest()).hex()}) + "\n")
    return count


def read(file: IO[str], public_keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The lines of accounts and of the record, once the signature is known to be right.

    Raises `AnchorInvalid`.
    """
    digest, last, title = hashlib.sha256(), "", ""
    for line in file:
        digest.update(last.encode())
        title, last = title or line, line
    try:
        about, signature = json.loads(title), bytes.fromhex(json.loads(last)["signature"])
        if about["format"] != FORMAT or about["public_key"] not in set(public_keys):
            raise AnchorInvalid("The anchor is not signed by a key that is trusted.")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(about["public_key"]))
        key.verify(signature, digest.digest())
    except (ValueError, KeyError, TypeError) as error:
        raise AnchorInvalid("The file is not an anchor.") from error
    except InvalidSignature as error:
        raise AnchorInvalid("The anchor was changed: its signature is not right.") from error
    file.seek(0)
    yield from (json.loads(line) for line in islice(file, 1, None) if '"signature"' not in line)


def verify(lines: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """What was changed, removed or cut off since the anchor was made. All hashes are computed again."""
    for some in slice_up(lines, AT_ONCE):
        yield from _compare_accounts([line for line in some if "account" in line])
        yield from _compare_record([line for line in some if "record" in line])
    result, _ = audit.run(COMPUTED)
    yield from result.findings


def _compare_accounts(lines: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    ids = [UUID(line["account"]) for line in lines]
    accounts = Account._base_manager.in_bulk(ids)
    found = fetch(HEADS, [ids, [line["seq"] for line in lines]])
    heads = {account_id: (id, bytes(hash).hex()) for account_id, id, hash in found}
    told = fetch(RULES, [ids, [line["event_sequence"] for line in lines]])
    rules = {account_id: json.loads(data) for account_id, data in told}
    for line, id in zip(lines, ids, strict=True):
        account = accounts.get(id)
        if account is None:
            yield _miss(line["account"], "the account", "none")
            continue
        yield from _compare_head(line, *heads.get(id, (None, "")))
        yield from _compare_account(line, account, rules.get(id, {}))


def _compare_record(lines: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    keys = [(UUID(line["record"]), line["number"]) for line in lines]
    hashes = record.read_hashes([(stream, number) for stream, number in keys if number])
    for line, key in zip(lines, keys, strict=True):
        found = hashes.get(key, b"").hex()
        if found != line["chain_hash"]:
            yield Finding(
                check="anchor",
                account=None,
                table="events_recordentry",
                row=f"{line['record']}.{line['number']}",
                expected=f"an entry with the hash {line['chain_hash']}",
                found=CHANGED if found else GONE,
            )


def _compare_account(line: dict[str, Any], account: Account, rules: dict[str, Any]) -> Iterator[Finding]:
    id = line["account"]
    for name in ("user_id", "currency"):
        if str(getattr(account, name)) != line[name]:
            yield _miss(id, f"{name} {line[name]}", str(getattr(account, name)))
    for name in ("seq", "version", "event_sequence", "credit_limit_max"):
        if getattr(account, name) < Decimal(line[name]):
            yield _miss(id, f"{name} {line[name]} at least", str(getattr(account, name)))
    for name in OF_EVENTS:
        was = rules.get(name)
        if name != "status" and was is not None:
            was = _write(Decimal(was))
        if was != line[name]:
            yield Finding(
                check="anchor",
                account=id,
                table="events_event",
                row=f"{id}.{line['event_sequence']}",
                expected=f"{name} {line[name]} by the events up to this one",
                found=f"{name} {was}",
            )


def _compare_head(line: dict[str, Any], row_id: UUID | None, head: str) -> Iterator[Finding]:
    id = line["account"]
    if head != line["chain_head"]:
        yield Finding(
            check="anchor",
            account=id,
            table="transactions_transaction",
            row=str(row_id or id),
            expected=f"row {line['seq']} with the hash {line['chain_head']}",
            found=CHANGED if row_id else GONE,
        )


def _miss(account: str, expected: str, found: str) -> Finding:
    return Finding("anchor", account, "accounts_account", account, expected, found)


def _write(value: object) -> object:
    """As JSON holds it."""
    match value:
        case bytes() | memoryview():
            return bytes(value).hex()
        case Decimal():
            return f"{value:.8f}"
        case UUID():
            return str(value)
    return value
