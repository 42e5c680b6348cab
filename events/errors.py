"""What every named refusal of the domain packages is made of. HTTP statuses are `api.errors`' business."""

from typing import Any
from uuid import UUID


class LedgerError(Exception):
    """A refusal with a stable code and one sentence for people.

    `field` names the part of the command it is about; `particulars` are strings, numbers and lists of
    strings that a program can act on.
    """

    code: str
    field: str | None = None
    command_id: UUID | None = None  # of several commands that came together, the one that is refused

    def __init__(self, detail: str, **particulars: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.particulars = particulars
