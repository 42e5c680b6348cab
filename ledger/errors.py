"""What every refusal of the product is made of. HTTP statuses are `rest.errors`' business."""

from typing import Any, Self
from uuid import UUID


def gettext_noop(text: str) -> str:
    """Marks a text that the back office translates. Django's own would load the settings on import."""
    return text


class LedgerError(Exception):
    """A refusal with a stable code and one sentence for people.

    A subclass names its code and, if it is about one part of the command, that field:
    `class AmountScale(LedgerError, code="amount_scale", field="amount")`. `extensions` are strings, numbers
    and lists of strings that a program can act on. If they are `confidential_to` somebody, they are shown to
    the user of this id and to whoever has this permission, else to everybody.
    """

    code = ""
    field: str | None = None
    command: Any = None  # of several commands that came together, the one that is refused

    def __init_subclass__(cls, *, code: str = "", field: str | None = None) -> None:
        super().__init_subclass__()
        cls.code, cls.field = code or cls.code, field or cls.field

    def __init__(
        self, detail: str, *, confidential_to: tuple[UUID, str] | None = None, **extensions: Any
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.confidential_to = confidential_to
        self.extensions = extensions

    def about(self, field: str) -> Self:
        """Itself, and about this part of the command, where that is not so of every error of its class."""
        self.field = field
        return self
