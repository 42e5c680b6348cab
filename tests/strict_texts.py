"""What a text of a body may be, for `strict_bodies`."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

Fits = Callable[[Any], bool]


def is_text(length_min: int, length_max: int, pattern: str = "[^\0\ud800-\udfff]*") -> Fits:
    def fits(value: Any) -> bool:
        whole = type(value) is str and length_min <= len(value) <= length_max
        return whole and re.fullmatch(pattern, value, re.DOTALL) is not None

    return fits


def is_about(length_min: int, length_max: int, *, kind: str) -> Fits:
    """A text of an identifier, a name or a note, which people can see and which is what it looks like."""

    def is_hidden(character: str) -> bool:
        """As far as the texts of `random_bodies` go."""
        return unicodedata.category(character) == "Cf" or character in HIDDEN[kind]

    def fits(text: Any) -> bool:
        if not is_text(length_min, length_max)(text):
            return False
        turns = any(unicodedata.bidirectional(each) in TURNING or each == "\u061c" for each in text)
        breaks = any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in text.translate(LINES[kind]))
        room = [each for each in text if not (each.isspace() or is_hidden(each))]
        if turns or breaks or (text and all(map(unicodedata.combining, room))):
            return False
        if kind == "note" or not text:
            return True
        hides = any(map(is_hidden, text)) or unicodedata.combining(text[0])
        is_composed = kind == "name" or unicodedata.normalize("NFC", text) == text
        return not hides and text == text.strip() and is_composed

    return fits


TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
HIDDEN = {"identifier": "\u3164\u2800\ufe0f", "name": "\u3164\u2800", "note": "\u3164\u2800"}
LINES: dict[str, dict[int, str]] = {"identifier": {}, "name": {}, "note": {9: "", 10: ""}}
