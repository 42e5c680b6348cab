"""Lists of objects of several kinds: each names its own, and may name another one of the same list."""

import re
from typing import Any

from django.core.validators import MaxLengthValidator, MinLengthValidator
from drf_spectacular.utils import PolymorphicProxySerializer
from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework.exceptions import ErrorDetail

from rest.errors import FieldError, InvalidRequest
from rest.fields import CodeWithin, Field, UUIDField, refuse
from rest.serializers import NO_OBJECT, StrictSerializer

ITEM_TEXT = re.compile(r"#(0|[1-9][0-9]{0,2})")


def lengths(length_max: int) -> list[Any]:
    """How many items a list has, for the OpenAPI document: reading it has found that before."""
    return [MinLengthValidator(1), MaxLengthValidator(length_max)]


class KindField(Field):
    """The name of a kind, in what is known to be of it."""

    def __init__(self, name: str) -> None:
        super().__init__({"type": "string", "const": name})
        self.kind = name

    def to_internal_value(self, value: Any) -> str:
        return self.kind


@describe_as(
    {
        "type": "string",
        "pattern": r"^(#(0|[1-9][0-9]{0,2})|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        "description": "An id, or `#0` for the first item of the same list, `#1` for the second …",
        "examples": ["#0"],
    }
)
class ItemField(UUIDField):
    """The id of something, or the number of an item of the same list."""

    def to_internal_value(self, value: Any) -> Any:
        if type(value) is str and ITEM_TEXT.fullmatch(value):
            return int(value[1:])
        return super().to_internal_value(value)


class ObjectsField(Field):
    """A list of objects of one kind, at least one of them. What is wrong is told of each."""

    def __init__(self, *, of: type[StrictSerializer], length_max: int, **options: Any) -> None:
        super().__init__(of(many=True), validators=lengths(length_max), **options)
        self.of, self.length_max = of, length_max

    def to_internal_value(self, value: Any) -> list[dict[str, Any]]:
        if type(value) is not list:
            raise refuse("invalid_type", "Not a list.")
        if not value:
            raise refuse("required", "The list is empty.")
        if len(value) > self.length_max:
            raise refuse("too_long", f"The list has more than {self.length_max} items.")
        read: list[dict[str, Any]] = []
        errors: list[FieldError] = []
        for number, each in enumerate(value):
            try:
                read.append(self.of.read(each, f"/{number}"))
            except InvalidRequest as error:
                errors += error.errors
        if errors:
            refusal = refuse("invalid_type", "Not a list of such objects.")
            refusal.detail = [
                ErrorDetail(each.detail, CodeWithin.of(each.code, each.pointer)) for each in errors
            ]
            raise refusal
        return read


class KindsField(Field):
    """A list of objects: the field `tag` of each names its kind, and `of` has what may be sent of it, that
    field included. `name` is what the OpenAPI document calls any of them.
    """

    def __init__(
        self, *, name: str, tag: str, of: dict[str, type[StrictSerializer]], length_max: int, **options: Any
    ) -> None:
        kinds: dict[str, Any] = {**of}
        schema = PolymorphicProxySerializer(name, kinds, resource_type_field_name=tag, many=True)
        super().__init__(schema, validators=lengths(length_max), **options)
        self.tag, self.of, self.length_max = tag, of, length_max

    def to_internal_value(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise refuse("invalid_type", "Not a list.")
        if not value:
            raise refuse("required", "The list is empty.")
        if len(value) > self.length_max:
            raise refuse("batch_too_large", f"The list has more than {self.length_max} items.")
        return value

    def read_item(self, sent: Any, at: str) -> tuple[str, dict[str, Any]]:
        """An item's kind and its other fields. Raises `InvalidRequest` with everything that is wrong."""
        if type(sent) is not dict:
            raise InvalidRequest(FieldError(at, *NO_OBJECT))
        kind = sent.get(self.tag)
        if kind is None:
            raise InvalidRequest(FieldError(f"{at}/{self.tag}", "required", "This is required."))
        serializer = self.of.get(kind) if type(kind) is str else None
        if serializer is None:
            detail = f"One of {', '.join(self.of)}."
            raise InvalidRequest(FieldError(f"{at}/{self.tag}", "invalid_choice", detail))
        fields = serializer.read(sent, at)
        del fields[self.tag]
        return kind, fields
