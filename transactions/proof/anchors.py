"""Anchors: the heads of all chains at one moment, signed, in a file that is kept outside the database.

Whoever holds the database and the chain's key could write a whole new history. An anchor made before that
remembers the old one. The file has a JSON object per line: what it is, one for each account, the signature.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from accounts import operations
from accounts.models import Account
from ledger.sql import fetch
from ledger.values import format_time, slice_up
from transactions.proof.audit import Finding, take_snapshot

FORMAT = "ledger-anchor-1"
AT_ONCE = 1000
# The anchored rows of some accounts.
HEADS = """
SELECT account_id, id, chain_hash FROM unnest(%s::uuid[], %s::bigint[]) AS line (account, number), LATERAL (
    SELECT account_id, id, chain_hash FROM transactions_transaction
    WHERE account_id = line.account AND seq = line.number OFFSET 0
) AS row
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
        heads = Account._base_manager.order_by("id").values_list(
            "id", "seq", "version", "event_sequence", "chain_head"
        )
        for id, seq, version, sequence, head in heads.iterator(chunk_size=10_000):
            put(
                {
                    "account": str(id),
                    "seq": seq,
                    "version": version,
                    "event_sequence": sequence,
                    "chain_head": bytes(head).hex(),
                }
            )
            count += 1
    file.write(json.dumps({"signature": get_private_key().sign(digest.digest()).hex()}) + "\n")
    return count


def read(file: IO[str], public_keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The lines of the accounts, once the signature is known to be right. Raises `AnchorInvalid`."""
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
    yield from (json.loads(line) for line in file if '"account"' in line)


def verify(lines: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """What was changed, removed or cut off since the anchor was made."""
    for some in slice_up(lines, AT_ONCE):
        ids = [UUID(line["account"]) for line in some]
        accounts = Account._base_manager.in_bulk(ids)
        found = fetch(HEADS, [ids, [line["seq"] for line in some]])
        heads = {account_id: (id, bytes(hash).hex()) for account_id, id, hash in found}
        for line, id in zip(some, ids, strict=True):
            yield from _compare(line, accounts.get(id), *heads.get(id, (None, "")))


def _compare(
    line: dict[str, Any], account: Account | None, row_id: UUID | None, head: str
) -> Iterator[Finding]:
    id = line["account"]
    if account is None:
        yield Finding("anchor", id, "accounts_account", id, "the account", "none")
        return
    if head != line["chain_head"]:
        yield Finding(
            check="anchor",
            account=id,
            table="transactions_transaction",
            row=str(row_id or id),
            expected=f"row {line['seq']} with the hash {line['chain_head']}",
            found="another: it or one before it was changed" if row_id else "none: it was cut off or removed",
        )
    for name in ("seq", "version", "event_sequence"):
        if getattr(account, name) < line[name]:
            yield Finding(
                check="anchor",
                account=id,
                table="accounts_account",
                row=id,
                expected=f"{name} {line[name]} at least",
                found=str(getattr(account, name)),
            )
