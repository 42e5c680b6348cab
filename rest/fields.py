"""Strict values: what each field of a request may be, for decoding and for the OpenAPI document alike."""

import re
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID, SafeUUID

from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from ledger.text import (
    CONTROL,
    DIRECTION,
    INVISIBLE,
    METADATA_KEY_MAX,
    METADATA_PAIRS_MAX,
    METADATA_VALUE_MAX,
    WHITE_SPACE,
    Rule,
    find_fault,
    find_fault_of_metadata,
    is_plain,
    is_storable,
)
from ledger.values import CHOSEN_ID_TEXT, NO_CHOSEN_ID, UUID_TEXT
from rest.parsers import Number

DECIMAL_DIGITS_MAX = 40
SHORT_DECIMAL_TEXT = re.compile(rf"-?[0-9]{{1,{DECIMAL_DIGITS_MAX}}}(\.[0-9]{{1,{DECIMAL_DIGITS_MAX}}})?")
DECIMAL_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
INTEGER_TEXT = re.compile(r"0|[1-9][0-9]{0,17}")
AMOUNT_NOT_TEXT = (
    "An amount is a text like \"100.00\". A number is unclear: 100 is one client's 1.00, another's 100.00."
)
_BMP_INVISIBLE = INVISIBLE.partition(r"\U")[0]  # the patterns of JSON Schema have another form for the rest
_NEVER = {Rule.IDENTIFIER: CONTROL + DIRECTION + _BMP_INVISIBLE, Rule.NAME: CONTROL + DIRECTION}
TEXT_HELP = {
    Rule.IDENTIFIER: "Exact, in NFC; white space at its ends and what cannot be seen are refused",
    Rule.NAME: "Kept as it is; white space at its ends and what cannot be seen are refused",
    Rule.NOTE: "It may have several lines; control characters and what cannot be seen at all are refused",
}

new, set_slot = object.__new__, object.__setattr__


def list_details(error: serializers.ValidationError) -> list[ErrorDetail]:
    """What one field says of its value; each detail is a text and has a `code`."""
    return cast(list[ErrorDetail], error.detail)


class CodeWithin(str):
    """The code of what is wrong with a part of a field's value, which `pointer` leads to from the field on.

    Of all that an error says, DRF hands on its code as it is.
    """

    pointer = ""

    @classmethod
    def of(cls, code: str, pointer: str) -> "CodeWithin":
        within = cls(code)
        within.pointer = pointer
        return within


def refuse(code: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError(detail, code)


class Field(serializers.Field):
    """A field that reads a value of a JSON body, or the text of a query parameter.

    `to_internal_value` gives the value, checked, or raises `ValidationError` with one of the API's codes.
    Null means not sent, except for a field that `allow_null` lets say "none". `schema` is what the OpenAPI
    document says of a field whose class does not say it.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {"required": "This is required."}

    def __init__(self, schema: Any = None, **options: Any) -> None:
        super().__init__(**options)
        if schema is not None:
            describe_as(schema)(self)  # type: ignore[type-var]

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None and not self.allow_null:
            data = empty
        return super().validate_empty_values(data)


@describe_as({"type": "string", "format": "uuid"})
class UUIDField(Field):
    def to_internal_value(self, value: Any) -> UUID:
        if type(value) is not str or not UUID_TEXT.fullmatch(value):
            raise refuse("id_invalid", "Not a UUID in its usual form: 8-4-4-4-12 hexadecimal digits.")
        # As `UUID(value)`, which takes more forms, and thrice the time.
        id = new(UUID)
        set_slot(id, "int", int(value.replace("-", ""), 16))
        set_slot(id, "is_safe", SafeUUID.unknown)
        return id


class IdentityField(UUIDField):
    """The id that a client has chosen for its command."""

    def to_internal_value(self, value: Any) -> UUID:
        id = super().to_internal_value(value)
        if not CHOSEN_ID_TEXT.fullmatch(value):
            raise refuse("id_invalid", NO_CHOSEN_ID)
        return id


@describe_as(
    {
        "type": "string",
        "pattern": r"^[0-9]+(\.[0-9]+)?$",
        "description": "A decimal string, in units of the currency. A JSON number is refused.",
        "examples": ["100.00"],
    }
)
class AmountField(Field):
    """The text of a decimal number without exponent, spaces or plus sign."""

    def to_internal_value(self, value: Any) -> Decimal:
        is_text = type(value) is str
        if is_text and SHORT_DECIMAL_TEXT.fullmatch(value):
            return Decimal(value)
        if type(value) is Number:
            raise refuse("amount_not_text", AMOUNT_NOT_TEXT)
        if not is_text or not DECIMAL_TEXT.fullmatch(value):
            raise refuse("amount_invalid", 'Not a decimal amount like "100.00".')
        if len(value.lstrip("-").partition(".")[0]) > DECIMAL_DIGITS_MAX:
            raise refuse("amount_too_large", "The amount has too many digits.")
        raise refuse("amount_scale", "The amount has too many decimals.")


def amount_text(**options: Any) -> serializers.RegexField:
    """An amount in an answer: a decimal string in the precision of its currency."""
    return serializers.RegexField(r"^-?[0-9]+(\.[0-9]+)?$", **options)


@describe_as({"type": "boolean"})
class BooleanField(Field):
    def to_internal_value(self, value: Any) -> bool:
        if type(value) is not bool:
            raise refuse("invalid_type", "Not true or false.")
        return value


def describe_text(rule: Rule | None, help_text: str = "") -> tuple[dict[str, Any], str]:
    """What the schema of a text under the rule has besides its lengths, and its description."""
    words = ". ".join(filter(None, [help_text, TEXT_HELP[rule] if rule else ""]))
    if rule not in _NEVER:
        return {}, words
    inner, outer = f"[^{_NEVER[rule]}]", f"[^{_NEVER[rule]}{WHITE_SPACE}]"
    return {"pattern": f"^({outer}({inner}*{outer})?)?$"}, words


class TextField(Field):
    """A text; with a `rule` one that cannot lie, as `ledger.text` has it."""

    def __init__(
        self, *, length_max: int, length_min: int = 0, rule: Rule | None = None, **options: Any
    ) -> None:
        schema = {"type": "string", "minLength": length_min, "maxLength": length_max}
        pattern, options["help_text"] = describe_text(rule, options.get("help_text", ""))
        super().__init__(schema | pattern, **options)
        self.length_min, self.length_max, self.rule = length_min, length_max, rule

    def to_internal_value(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("invalid_type", "Not a text.")
        plain = is_plain(value)
        if not plain and not is_storable(value):
            raise refuse("invalid_text", "The text has a NUL or half of a surrogate pair.")
        if len(value) < self.length_min:
            raise refuse("required", "The text is empty.")
        if len(value) > self.length_max:
            raise refuse("too_long", f"The text has more than {self.length_max} characters.")
        if not plain and self.rule is not None and (fault := find_fault(value, self.rule)):
            raise refuse(fault.code, fault.detail)
        return value


class ChoiceField(Field):
    def __init__(self, *, choices: type[Any], **options: Any) -> None:
        self.choices = {str(choice.value): choice for choice in choices}
        # As answers tell it, so that both have one name.
        super().__init__(serializers.ChoiceField(choices=choices.choices), **options)

    def to_internal_value(self, value: Any) -> Any:
        if type(value) is not str or value not in self.choices:
            raise refuse("invalid_choice", f"One of {', '.join(self.choices)}.")
        return self.choices[value]


class ChoicesField(Field):
    """A list of some of the choices, each once."""

    def __init__(self, *, choices: type[Any], **options: Any) -> None:
        self.choices = [str(choice.value) for choice in choices]
        items = {"type": "string", "enum": self.choices}
        schema = {"type": "array", "items": items, "uniqueItems": True, "maxItems": len(self.choices)}
        super().__init__(schema, **options)

    def to_internal_value(self, value: Any) -> list[str]:
        if type(value) is not list:
            raise refuse("invalid_type", "Not a list.")
        if any(type(each) is not str or each not in self.choices for each in value):
            raise refuse("invalid_choice", f"Some of {', '.join(self.choices)}.")
        if len(set(value)) < len(value):
            raise refuse("invalid_choice", "One of them stands twice.")
        return value


class ChoicesParameter(Field):
    """Some of the choices in a query, each a parameter or with commas between them."""

    def __init__(self, *, choices: type[Any], **options: Any) -> None:
        self.choices = [str(choice.value) for choice in choices]
        items = {"type": "string", "enum": self.choices}
        super().__init__({"type": "array", "items": items, "uniqueItems": True, "minItems": 1}, **options)

    def to_internal_value(self, value: Any) -> list[str]:
        chosen: list[str] = value.split(",")
        if not set(chosen) <= set(self.choices) or len(set(chosen)) < len(chosen):
            raise refuse("invalid_parameter", f"Some of {', '.join(self.choices)}, each once.")
        return chosen


class NumberParameter(Field):
    """A whole number in a query."""

    def __init__(self, *, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__({"type": "integer", "minimum": minimum, "maximum": maximum}, **options)
        self.minimum, self.maximum = minimum, maximum

    def to_internal_value(self, value: Any) -> int:
        number = int(value) if INTEGER_TEXT.fullmatch(value) else -1
        if not self.minimum <= number <= self.maximum:
            raise refuse("invalid_parameter", f"A whole number from {self.minimum} to {self.maximum}.")
        return number


@describe_as({"type": "boolean"})
class BooleanParameter(Field):
    """True or false in a query."""

    def to_internal_value(self, value: Any) -> bool:
        if value not in ("true", "false"):
            raise refuse("invalid_parameter", "Either true or false.")
        return bool(value == "true")


@describe_as({"type": "integer", "minimum": 0, "maximum": 10**18 - 1})
class CountField(Field):
    """A whole number from zero on, of at most 18 digits."""

    def to_internal_value(self, value: Any) -> int:
        if type(value) is not Number or not INTEGER_TEXT.fullmatch(value):
            raise refuse("invalid_type", "Not a whole number from zero on.")
        return int(value)


@describe_as(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_MAX},
        "maxProperties": METADATA_PAIRS_MAX,
        "propertyNames": {"maxLength": METADATA_KEY_MAX},
    }
)
class MetadataField(Field):
    """An object of texts, kept as it is for its owner."""

    def to_internal_value(self, value: Any) -> dict[str, str]:
        if fault := find_fault_of_metadata(value):
            raise refuse(fault.code, fault.detail)
        return cast(dict[str, str], value)


class ChangedMetadataField(MetadataField):
    """What takes the place of all there was; null: nothing."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values({} if data is None else data)
