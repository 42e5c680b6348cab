"""What a command is, and what several of them have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypedDict
from uuid import UUID

from ledger_client.wire import Id, Json, Moment, R

Metadata = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Command(Generic[R]):
    """`body` is JSON already, `kind` what it is answered with; `name` and `about` are for a batch."""

    path: str
    body: Json
    kind: type[R]
    name: str = ""
    about: Mapping[str, str] | None = None
    method: str = "POST"
    etag: str | None = None  # of what is to be changed: refused if it is another by now

    @property
    def id(self) -> UUID | None:
        """What the ledger knows the command by."""
        return UUID(self.body["id"]) if "id" in self.body else None

    def write_item(self) -> Json:
        """As an item of a batch. Raises `ValueError` if it can be none."""
        if not self.name:
            raise ValueError(f"{self.method} {self.path} cannot be part of a batch.")
        return {"command": self.name, **(self.about or {}), **self.body}


class Parts(TypedDict, total=False):
    """Of a transaction, beside its id, type and amount."""

    account: Id
    user: Id  # instead of an account: the user's main account
    currency: str  # which of the user's main accounts
    effective_at: Moment
    reference: str
    metadata: Metadata
    expected_version: int


class CaptureParts(TypedDict, total=False):
    """Of a capture, beside its id and its hold."""

    final: bool  # False: what is left is not given back
    reference: str
    metadata: Metadata
    expected_version: int
