"""The options of commands, read as strictly as the parameters of requests, and the files that they name."""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import ValidationError

from rest.fields import list_details
from transactions.management.files import FORMATS

FOUND, COULD_NOT_RUN = 1, 2  # exit statuses of a check


def failure(detail: str, status: int = COULD_NOT_RUN) -> CommandError:
    """What a command raises to say why, and to end with that exit status."""
    return CommandError(detail, returncode=status)


class StrictCommand(BaseCommand):
    """A command whose `arguments` are a table: by its name, what `add_argument` takes for each.

    One with a `field` is read by it, as a parameter of a request would be: `handle` gets the value, or None
    for an option that is not given. Raises `CommandError` for a text that the field refuses.
    """

    arguments: dict[str, dict[str, Any]]

    def add_arguments(self, parser: CommandParser) -> None:
        for name, argument in self.arguments.items():
            parser.add_argument(name, **{key: argument[key] for key in argument if key != "field"})

    def execute(self, *args: Any, **options: Any) -> str | None:
        for name, argument in self.arguments.items():
            key = name.removeprefix("--")
            if "field" in argument and options[key] is not None:
                try:
                    options[key] = argument["field"].to_internal_value(options[key])
                except ValidationError as error:
                    raise failure(f"{name}: {list_details(error)[0]}") from None
        return super().execute(*args, **options)


def describe_file(columns: Iterable[str], **options: Any) -> dict[str, dict[str, Any]]:
    """The arguments of a command that reads a file of lines with these columns; `options` are the file's."""
    listed = ", ".join(columns)
    return {
        "file": {"help": f"CSV with a header, or JSON lines, of {listed}; - is stdin", **options},
        "--format": {"choices": tuple(FORMATS), "help": "default: as the file's name ends"},
    }


@contextmanager
def open_input(path: str, format: str | None) -> Iterator[tuple[TextIO, str]]:
    """The file, or stdin for `-`, as `files` reads it, and its format: as asked, or as the file's name ends.

    It is closed at the end. A byte that is not UTF-8 becomes half of a surrogate pair, which no field takes.
    Raises `CommandError`.
    """
    format = format or Path(path).suffix.removeprefix(".")
    if format not in FORMATS:
        raise failure(f"Say with --format whether this is {' or '.join(FORMATS)}.")
    try:
        file = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115, closed with its text
    except OSError as error:
        raise failure(f"{path}: {error.strerror}.") from None
    with io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", FORMATS[format]) as text:
        yield text, format


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
        raise failure(f"{path}: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
