"""The options of commands, read as strictly as the parameters of requests, and the files that they name."""

import codecs
import io
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import ValidationError

from rest.fields import list_details
from transactions.management.maps import FORMATS
from transactions.management.tables import NEWLINES, Form

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
            key = name.removeprefix("--").replace("-", "_")
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
        "--format": {"choices": tuple(NEWLINES), "help": "default: as the file's name ends"},
        "--encoding": {"help": "of its characters, such as cp1252 or utf-16 (default: UTF-8)"},
        "--delimiter": {"help": "what separates the columns of CSV, such as ';' or tab (default: a comma)"},
        "--set": {
            "action": "append",
            "default": [],
            "metavar": "COLUMN=VALUE",
            "help": "a column that is the same in all rows, whatever the file says; of several, each",
        },
        "--allow-empty": {"action": "store_true", "help": "a file without rows is no error"},
    }


def read_fixed(options: dict[str, Any], columns: Collection[str]) -> dict[str, str]:
    """What `--set` says of the columns. Raises `CommandError`."""
    fixed = {}
    for each in options["set"]:
        name, is_set, value = each.partition("=")
        if not is_set or name not in columns:
            raise failure(f"--set {each}: it is COLUMN=VALUE, of a column {', '.join(columns)}.")
        fixed[name] = value
    return fixed


@contextmanager
def open_input(options: dict[str, Any], like: Form | None = None) -> Iterator[tuple[TextIO, Form]]:
    """The file, or stdin for `-`, as `files` reads it, and how it is written: as the options say, else `like`
    that, else as the file's name ends, in UTF-8, with commas.

    It is closed at the end. A byte that is no text in its encoding becomes half of a surrogate pair. Raises
    `CommandError`.
    """
    path = options["file"]
    if like and options["format"]:
        raise failure("--format: the map says what the file is.")
    like = like or Form(format=options["format"] or Path(path).suffix.removeprefix(".").lower())
    if like.format not in FORMATS:
        raise failure(f"Say with --format whether this is {' or '.join(NEWLINES)}.")
    encoding = options["encoding"] or like.encoding
    delimiter = options["delimiter"] or like.delimiter
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        raise failure(f"--encoding: {encoding!r} is none that is known.") from None
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise failure("--delimiter is one character, or tab.")
    try:
        file = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115, closed with its text
    except OSError as error:
        raise failure(f"{path}: {error.strerror}.") from None
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    encoding = "utf-8-sig" if is_utf8 else encoding  # what Windows writes begins with a mark
    with io.TextIOWrapper(file, encoding, "surrogateescape", NEWLINES.get(like.format, "")) as text:
        yield text, Form(like.format, encoding, delimiter)


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
