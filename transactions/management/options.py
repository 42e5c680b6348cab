"""The options of commands, read as strictly as the parameters of requests, and the files that they name."""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import ValidationError

from rest.fields import list_details
from transactions.management.files import FORMATS

FOUND, COULD_NOT_RUN = 1, 2  # exit statuses of a check
ENCODING = "utf-8-sig"
ERRORS = "surrogateescape"  # a byte that is not UTF-8 becomes half of a surrogate pair, which no field takes
NEWLINE = {"csv": "", "jsonl": "\n"}


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


def describe_file(columns: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The arguments of a command that reads a file of lines with these columns."""
    return {
        "file": {"help": f"CSV with a header, or JSON lines, of {', '.join(columns)}; - is stdin"},
        "--format": {"choices": FORMATS, "help": "default: as the file's name ends"},
    }


def find_format(path: str, format: str | None) -> str:
    """As asked, or as the file's name ends. Raises `CommandError`."""
    format = format or Path(path).suffix.removeprefix(".")
    if format not in FORMATS:
        raise failure(f"Say with --format whether this is {' or '.join(FORMATS)}.")
    return format


@contextmanager
def open_input(path: str, format: str) -> Iterator[TextIO]:
    """The file, or stdin for `-`, as `files` reads it. Raises `CommandError`."""
    if path == "-":
        text = io.TextIOWrapper(sys.stdin.buffer, ENCODING, ERRORS, NEWLINE[format])
        yield text
        text.detach()
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("r", -1, ENCODING, ERRORS, NEWLINE[format]))
        except OSError as error:
            raise failure(f"{path}: {error.strerror}.") from None
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
        raise failure(f"{path}: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
