"""What a door of the ledger answers with, so that both can be held to the same."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.reference_commands import Refusal


@dataclass(kw_only=True)
class Answer:
    """`rows` are transactions as they are shown, `holds` what placements and releases were answered with
    (None for a release that was declined with its list). `replayed` is told of each, or once of them all.
    `collected` are the ids of what was taken for claims because of it.
    """

    rows: dict[UUID, dict] = field(default_factory=dict)
    holds: dict[Any, dict | None] = field(default_factory=dict)
    claims: dict[UUID, dict] = field(default_factory=dict)
    collected: list[UUID] = field(default_factory=list)
    refusals: dict[Any, Refusal] = field(default_factory=dict)  # of single ones among many
    refusal: Refusal | None = None  # of everything
    replayed: dict[Any, bool] | bool = False
    request_id: str = ""


@dataclass(kw_only=True)
class Shown:
    """A hold or an account."""

    resource: dict[str, Any] | None = None
    refusal: Refusal | None = None
    replayed: bool = False


WORDS = {"reason": "metadata"}  # the commands' own for parts of what they make


def make_refusal(code, extensions):
    differs = extensions.get("differs")
    return Refusal(code, differs and frozenset(WORDS.get(name, name) for name in differs))
