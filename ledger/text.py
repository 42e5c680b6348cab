"""Text that cannot lie: what a text of somebody's may hold, by what it is for.

Two texts that look the same to people should be the same, and none should look like something that it is not.
So control characters and marks that turn the direction of writing are in no text, nothing is invisible as a
whole, and what tells one thing from another has one form only. Nothing is trimmed or changed in silence: what
does not fit is refused. Letters of different scripts that look alike are different, and are not refused.
"""

import re
import unicodedata
from enum import Enum, auto

from ledger.errors import LedgerError

# Parts of character classes, which Python and PostgreSQL read alike.
WHITE_SPACE = r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROL = r"\u0001-\u001f\u007f-\u009f\u2028\u2029"
DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# What Unicode calls default ignorable, but for marks of direction; anchors of annotations; an empty Braille.
INVISIBLE = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
# What the database refuses of an identifier, beside what is not in NFC.
NOT_IN_IDENTIFIERS = f"^[{WHITE_SPACE}]|[{WHITE_SPACE}]$|[{CONTROL}{DIRECTION}{INVISIBLE}]"

METADATA_PAIRS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500

# Whether it is what most texts are, with which nothing is wrong: printable ASCII without a space at its ends.
# No function of Python's, so that a posting can afford it.
is_plain = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?").fullmatch
_find_surrogate = re.compile("[\ud800-\udfff]").search
_find_noncharacter = re.compile(
    r"[\ufdd0-\ufdef" + "".join(rf"\U{n:08x}-\U{n + 1:08x}" for n in range(0xFFFE, 0x110000, 0x10000)) + "]"
).search
_find_control = re.compile(f"[{CONTROL}{DIRECTION}]").search
_find_control_in_notes = re.compile(f"(?![\t\n])[{CONTROL}{DIRECTION}]").search
_find_invisible = re.compile(f"[{INVISIBLE}]").search
_NEVER_SEEN = re.compile(f"[{WHITE_SPACE}{CONTROL}{DIRECTION}{INVISIBLE}]")
# What joins letters of Arabic and Indic scripts and parts of emoji, and what chooses a character's variant.
# Beside Latin, Greek and Cyrillic letters, digits and punctuation these do nothing that can be seen.
_BEYOND = r"[^\u0000-\u00a8\u00aa-\u00ad\u00af-\u052f\u1e00-\u206f]"
_VARIANT = r"[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
_USED_IN_NAMES = re.compile(
    rf"(?<={_BEYOND})[\u200c\u200d](?={_BEYOND})|(?<={_BEYOND}){_VARIANT}|{_VARIANT}(?=\u20e3)"
)


class Rule(Enum):
    """What a text is for."""

    IDENTIFIER = auto()  # it tells one thing from another: external ids, names of accounts, references, keys
    NAME = auto()  # it is read by people, in any language; kept as it was sent
    NOTE = auto()  # reasons and values of metadata: of several lines, where somebody likes


class TypeInvalid(LedgerError, code="invalid_type"):
    """A value is not of the type that is due."""


class TextMissing(LedgerError, code="required"):
    """A text that must say something is empty."""


class TextTooLong(LedgerError, code="too_long"):
    """The text has more characters than it may have."""


class MetadataInvalid(LedgerError, code="metadata_invalid", field="metadata"):
    """The metadata is no object of texts, or says what the command itself says."""


class MetadataTooLarge(LedgerError, code="metadata_too_large", field="metadata"):
    """The metadata has too many pairs, or too long ones."""


class TextInvalid(LedgerError, code="invalid_text"):
    """The text has a NUL, half of a surrogate pair, or what Unicode says is no character."""


class TextHasControlCharacter(LedgerError, code="text_control_character"):
    """The text has a control character, or one that turns the direction of writing."""


class TextInvisible(LedgerError, code="text_invisible"):
    """Nothing of the text is seen; or of an identifier or a name, one of its characters."""


class TextPadded(LedgerError, code="text_padded"):
    """An identifier or a name begins or ends with white space."""


class TextNotNormalized(LedgerError, code="text_not_normalized"):
    """An identifier is not in Unicode's normal form C."""


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and (text.isascii() or not _find_surrogate(text))


def require_text(
    text: object, rule: Rule, field: str, *, length_max: int | None = None, length_min: int = 0
) -> None:
    """For who asks in process; requests are read before. Raises `TypeInvalid`, `Text…`, about that field."""
    fault: LedgerError | None
    if type(text) is not str:
        fault = TypeInvalid("Not a text.")
    elif len(text) < length_min:
        fault = TextMissing("The text is empty.")
    elif length_max is not None and len(text) > length_max:
        fault = TextTooLong(f"The text has more than {length_max} characters.")
    else:
        fault = find_fault(text, rule)
    if fault:
        fault.field = field
        raise fault


def require_metadata(metadata: object) -> None:
    """Raises what `find_fault_of_metadata` finds."""
    if fault := find_fault_of_metadata(metadata):
        fault.field = "metadata"
        raise fault


def find_fault_of_metadata(metadata: object) -> LedgerError | None:
    """Why the metadata is refused; None if it is not."""
    if type(metadata) is not dict or not all(type(text) is str for pair in metadata.items() for text in pair):
        return MetadataInvalid("Metadata is an object of texts.")
    if (
        len(metadata) > METADATA_PAIRS_MAX
        or any(len(key) > METADATA_KEY_MAX for key in metadata)
        or any(len(text) > METADATA_VALUE_MAX for text in metadata.values())
    ):
        return MetadataTooLarge(
            f"Metadata has at most {METADATA_PAIRS_MAX} pairs, keys of {METADATA_KEY_MAX} and "
            f"values of {METADATA_VALUE_MAX} characters."
        )
    for key, text in metadata.items():
        if fault := find_fault(key, Rule.IDENTIFIER) or find_fault(text, Rule.NOTE):
            return fault
    return None


def find_fault(text: str, rule: Rule) -> LedgerError | None:
    """Why the text is refused under the rule; None if it is not. An empty one has no fault."""
    if is_plain(text):
        return None
    if not is_storable(text):
        return TextInvalid("The text has a NUL or half of a surrogate pair.")
    if found := _find_noncharacter(text):
        return TextInvalid(f"The text has {_name(found[0])}, which is no character.")
    find_control = _find_control_in_notes if rule is Rule.NOTE else _find_control
    if found := find_control(text):
        kind = (
            "a control character" if ord(found[0]) < 0xA0 else "which is not seen and turns or breaks lines"
        )
        return TextHasControlCharacter(f"The text has {_name(found[0])}, {kind}.")
    if not _is_seen(text):
        return TextInvisible("Nothing of the text can be seen.")
    if rule is Rule.NOTE:
        return None
    return _find_fault_of_names(text) or (_find_fault_of_form(text) if rule is Rule.IDENTIFIER else None)


def _find_fault_of_names(text: str) -> LedgerError | None:
    """What neither a name nor an identifier has."""
    if found := _find_invisible(_USED_IN_NAMES.sub("", text)):
        return TextInvisible(f"The text has {_name(found[0])}, which cannot be seen where it stands.")
    if text != text.strip():
        return TextPadded("The text begins or ends with white space.")
    if unicodedata.category(text[0]).startswith("M"):
        return TextInvisible(f"The text begins with {_name(text[0])}, which belongs to a letter before it.")
    return None


def _find_fault_of_form(text: str) -> LedgerError | None:
    """What a name may have, but no identifier."""
    if found := _find_invisible(text):
        return TextInvisible(f"The text has {_name(found[0])}, which identifiers do not have.")
    # The database may know of characters, and of what they are composed of, that Python does not know yet.
    if unknown := next((each for each in text if unicodedata.category(each) == "Cn"), None):
        return TextInvalid(f"The text has {_name(unknown)}, which is not known as a character.")
    if not unicodedata.is_normalized("NFC", text):
        return TextNotNormalized("The text is not in Unicode's normal form C (NFC).")
    return None


def _is_seen(text: str) -> bool:
    """Whether there is something that marks can stand on."""
    return any(not unicodedata.category(each).startswith("M") for each in _NEVER_SEEN.sub("", text))


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
