"""How bytes become values: one strict reading of JSON bodies."""

import json
import re
from collections import Counter
from typing import Any, NoReturn

import orjson
from django.conf import settings
from django.http import UnreadablePostError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from ledger.errors import LedgerError
from rest.errors import FieldError, InvalidRequest

CONTENT_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
LEVELS_MAX = 100  # of objects and lists in each other


class Number(str):
    """The text of a JSON number. Never a float: money is read from the digits that were sent."""


class UnsupportedMediaType(LedgerError):
    code = "unsupported_media_type"


class LengthRequired(LedgerError):
    code = "length_required"


class BodyTooLarge(LedgerError):
    code = "body_too_large"


class StrictJSONParser(BaseParser):
    """A body of JSON in UTF-8 that can be read in one way only: an object, its numbers as `Number`s.

    At most `body_bytes_max` of the view, or `API_BODY_BYTES_MAX`.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        """The JSON object in the body of the context's request.

        Refuses what has two readings: another content type or encoding, bytes that are not UTF-8, duplicate
        keys, `NaN`. Raises `UnsupportedMediaType`, `LengthRequired`, `BodyTooLarge` and `InvalidRequest`.
        """
        request = parser_context["request"]
        bytes_max = getattr(parser_context["view"], "body_bytes_max", settings.API_BODY_BYTES_MAX)
        headers = request.META
        content_type = headers.get("CONTENT_TYPE", "")
        is_json = content_type == "application/json" or CONTENT_TYPE.fullmatch(content_type)
        if not is_json or "HTTP_CONTENT_ENCODING" in headers:
            if not request.has_body:
                return {}  # whoever reads it says what is missing
            raise UnsupportedMediaType(
                "Send Content-Type: application/json, the body in UTF-8, and no Content-Encoding."
            )
        if "HTTP_TRANSFER_ENCODING" in headers:
            raise LengthRequired("Send the body with a Content-Length, not chunked.")
        length = headers.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:20]) > bytes_max:
            raise BodyTooLarge(f"This body has at most {bytes_max} bytes.")
        try:
            body = read_bytes(request._request.read())
        except (ValueError, UnreadablePostError) as error:
            detail = f"The body is not JSON in UTF-8{_say_where(error)}."
            raise InvalidRequest(FieldError("", "malformed_json", detail)) from error
        if not isinstance(body, dict):
            raise InvalidRequest(FieldError("", "invalid_body", "The body is not a JSON object."))
        return body


class AlwaysJSON(BaseContentNegotiation):
    """The API speaks JSON, whatever the caller would rather have."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def _say_where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f": line {error.lineno}, column {error.colno}" if error.doc.strip() else ": it is empty"
    if isinstance(error, UnicodeDecodeError):
        return f": byte {error.start + 1}"
    return f": {error}" if type(error) is ValueError else ""


def read_bytes(text: bytes) -> Any:
    """As `read_json`, in a fraction of its time where nothing in the text wants a closer look."""
    if b"\\" not in text:
        try:
            value = orjson.loads(text)
            if text.count(b'"') == 2 * _count_texts(value):
                return value
        except (orjson.JSONDecodeError, HasNumber):
            pass
    return read_json(text.decode())


class HasNumber(Exception):
    """Numbers are read from their digits, which are lost in a float."""


def _count_texts(value: Any, level: int = 0) -> int:
    """How many keys and texts there are. Each has two quotes, and without a backslash there are no others:
    more of them are a key that stands twice.

    Raises `HasNumber`, and `ValueError` as `read_json` does.
    """
    kind = type(value)
    if kind is str:
        return 1
    if value is None or kind is bool:
        return 0
    if kind is not dict and kind is not list:
        raise HasNumber
    if level == LEVELS_MAX:
        raise ValueError("too many levels")
    if kind is list:
        return sum([_count_texts(each, level + 1) for each in value])
    count = len(value)
    for each in value.values():
        count += 1 if type(each) is str else _count_texts(each, level + 1)
    return count


def read_json(text: str) -> Any:
    """The value; its numbers are `Number`s.

    Raises `ValueError`, also for more than `LEVELS_MAX` levels of objects and lists, and `InvalidRequest` for
    a key that stands twice.
    """
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark")
    try:
        value = DECODER.decode(text)
        _require_few_levels(value)
    except RecursionError as error:
        raise ValueError("too many levels") from error
    return value


def _require_few_levels(value: Any, level: int = 0) -> None:
    if type(value) is dict:
        value = value.values()
    elif type(value) is not list:
        return
    if level == LEVELS_MAX:
        raise ValueError("too many levels")
    for each in value:
        _require_few_levels(each, level + 1)


def echo(name: str) -> str:
    """A caller's own word in an error: ASCII, and not all of it."""
    return name[:40].encode("ascii", "backslashreplace").decode()


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InvalidRequest(
            FieldError("", "duplicate_key", f"The key {echo(twice)} stands more than once in an object.")
        )
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates,
    parse_float=Number,
    parse_int=Number,
    parse_constant=_refuse_constant,
)
