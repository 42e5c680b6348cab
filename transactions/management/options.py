"""The options of commands, read as strictly as the parameters of requests."""

import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from django.core.management.base import CommandError
from rest_framework.exceptions import ValidationError

from rest.fields import Field, list_details
from transactions.management.files import FORMATS

FOUND, COULD_NOT_RUN = 1, 2  # exit statuses of a check
ENCODING = "utf-8-sig"
ERRORS = "surrogateescape"  # a byte that is not UTF-8 becomes half of a surrogate pair, which no field takes
NEWLINE = {"csv": "", "jsonl": "\n"}


def read_option(name: str, text: str | None, field: Field) -> Any:
    """None for an option that is not given. Raises `CommandError`."""
    try:
        return None if text is None else field.to_internal_value(text)
    except ValidationError as error:
        raise CommandError(f"{name}: {list_details(error)[0]}", returncode=COULD_NOT_RUN) from None


def find_format(path: str, format: str | None) -> str:
    """As asked, or as the file's name ends. Raises `CommandError`."""
    format = format or Path(path).suffix.removeprefix(".")
    if format not in FORMATS:
        raise CommandError(
            f"Say with --format whether this is {' or '.join(FORMATS)}.", returncode=COULD_NOT_RUN
        )
    return format


@contextmanager
def open_input(path: str, format: str) -> Iterator[TextIO]:
    """The file, or stdin for `-`, as `files.read_lines` wants it. Raises `CommandError`."""
    if path == "-":
        text = io.TextIOWrapper(sys.stdin.buffer, ENCODING, ERRORS, NEWLINE[format])
        yield text
        text.detach()
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("r", -1, ENCODING, ERRORS, NEWLINE[format]))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.", returncode=COULD_NOT_RUN) from None
        yield file


@contextmanager
def open_output(path: str | None) -> Iterator[IO[str]]:
    """The file, which gets its name once it is whole, or stdout for None. Raises `CommandError`."""
    if path is None:
        yield sys.stdout
        return
    whole = Path(path)
    partial = whole.with_name(f"{whole.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        partial.replace(whole)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.", returncode=COULD_NOT_RUN) from None
    finally:
        partial.unlink(missing_ok=True)
