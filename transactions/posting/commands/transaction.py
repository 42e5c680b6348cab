"""Moving money on one account: a deposit or a withdrawal."""

from dataclasses import dataclass
from typing import ClassVar

from transactions.posting.legs import Leg


@dataclass(slots=True, kw_only=True)
class NewTransaction(Leg):
    """A leg that belongs to nothing else."""

    transfer: ClassVar[None] = None  # type: ignore[misc]
    reverses: ClassVar[None] = None  # type: ignore[misc]
    hold: ClassVar[None] = None  # type: ignore[misc]
    final: ClassVar[None] = None  # type: ignore[misc]
    claim: ClassVar[None] = None  # type: ignore[misc]
    amount_asked: ClassVar[None] = None  # type: ignore[misc]
    decline: ClassVar[None] = None  # type: ignore[misc]
