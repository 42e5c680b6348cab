"""The problems that answers may be: their members by status, and what the OpenAPI document says of each."""

from typing import Any, NamedTuple

from drf_spectacular.utils import extend_schema_field as describe_as
from rest_framework import serializers

from rest.codes import STATUS
from rest.fields import amount_text

ERRORS_MAX = 100


def open_enum(values: Any, **more: Any) -> dict[str, Any]:
    """The schema of a text that is one of these today; clients must expect others."""
    return {"type": "string", "x-extensible-enum": list(values), **more}


def make_code(*statuses: int) -> serializers.Field[Any, Any, Any, Any]:
    """The code of a problem with one of these statuses."""
    codes = sorted(code for code, status in STATUS.items() if status in statuses or not statuses)
    words = "The contract. One of these today; there may be others tomorrow."
    field = describe_as(open_enum(codes, description=words))(type("CodeField", (serializers.Field,), {}))
    return field()  # type: ignore[no-any-return]


@describe_as(
    {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 1000}]}
)
class AllowedField(serializers.Field[Any, Any, Any, Any]):
    """What a token may: an amount, or a list of names."""


class FieldErrorSerializer(serializers.Serializer):
    """One thing that is wrong with a request."""

    pointer = serializers.CharField(
        allow_blank=True,
        help_text="`/amount` in the body, `?at` in the query, a header's name; empty: the body as a whole",
    )
    code = make_code()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """RFC 9457. `code` is the contract; the particulars of the rule stand beside it."""

    type = serializers.CharField(
        help_text="A URI reference, `/errors/CODE`: a page of this ledger that says what the code means"
    )
    title = serializers.CharField(help_text="What the status means")
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField(help_text="One sentence for people. It may change")
    code = make_code()
    request_id = serializers.CharField(help_text="What the ledger's log calls the request")
    errors = serializers.ListField(  # type: ignore[assignment]
        child=FieldErrorSerializer(), required=False, max_length=ERRORS_MAX, help_text="Field by field"
    )


class InvalidRequestProblemSerializer(ProblemSerializer):
    """The request is malformed: `errors` says where."""

    code = make_code(400)
    earliest = serializers.CharField(
        required=False, help_text="Of `effective_at_too_early`: what the moment may be at the earliest"
    )
    limit = amount_text(required=False, help_text="Of `amount_too_large`: the largest amount there is")


class InsufficientFundsProblemSerializer(ProblemSerializer):
    """Declined: there is not enough. Recorded under the id for ever."""

    code = make_code(402)
    id = serializers.UUIDField(help_text="Of the declined transaction or hold; of a change, the hold's")
    transfer = serializers.UUIDField(required=False, help_text="That the declined leg is of")
    available = amount_text(help_text="What there was to take")
    required = amount_text(help_text="What there should have been")  # type: ignore[assignment]
    instant = serializers.DateTimeField(
        required=False,
        help_text="Of `insufficient_funds_at`: the later moment at which `available` is what there was",
    )
    amount = amount_text(required=False, help_text="Of a change of a hold: what was asked for")


class ForbiddenProblemSerializer(ProblemSerializer):
    """The token may not do this."""

    code = make_code(403)
    permission = serializers.CharField(required=False, help_text="That the token has not got")
    bound = serializers.CharField(required=False, help_text="Of the token, that does not allow it")
    allowed = AllowedField(required=False, help_text="What that bound allows")


class PreconditionProblemSerializer(ProblemSerializer):
    """It is not as the request expects."""

    code = make_code(412)
    id = serializers.UUIDField(required=False, help_text="Of what was declined, if it is recorded")
    transfer = serializers.UUIDField(required=False, help_text="That the declined leg is of")
    expected_version = serializers.IntegerField(required=False)
    version = serializers.IntegerField(required=False, help_text="That the account is at")
    expected_sequence = serializers.IntegerField(required=False)
    sequence = serializers.IntegerField(required=False, help_text="Of the account's last event")


class RefusedProblemSerializer(ProblemSerializer):
    """Understood, and declined or refused by a rule; the `code` says by which, and what of this it has."""

    code = make_code(422)
    id = serializers.UUIDField(required=False, help_text="Of what was declined, if it is recorded")
    transfer = serializers.UUIDField(required=False, help_text="That the declined leg is of")
    account = serializers.UUIDField(required=False, help_text="That is closed")
    differs = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=ERRORS_MAX,
        help_text="Of `idempotency_key_reused`: the fields that are not those of the first command",
    )
    rule = serializers.CharField(required=False, help_text="Of `limit_exceeded`: which limit")
    limit = amount_text(required=False, help_text="What that limit, or the highest balance, is")
    required = amount_text(required=False, help_text="What was to be taken")  # type: ignore[assignment]
    withdrawn = amount_text(required=False, help_text="What was taken before on that day")
    balance = amount_text(required=False)
    held = amount_text(required=False)
    owed = amount_text(required=False, help_text="What open claims have left")
    used = amount_text(required=False, help_text="Of the credit")
    captured = amount_text(required=False, help_text="Of the hold")
    amount = amount_text(required=False, help_text="Of a change of a hold: what was asked for")
    left = amount_text(required=False, help_text="Of the transaction that is to be reversed")
    reversed_by = serializers.UUIDField(required=False, help_text="What has taken the last of it")
    hold_status = serializers.CharField(required=False)
    claim_status = serializers.CharField(required=False)
    open = serializers.IntegerField(required=False, help_text="How many claims are")
    subscription = serializers.UUIDField(required=False, help_text="That there is already")
    culprit = serializers.UUIDField(
        required=False, help_text="Of all that was declined together: what had a reason of its own"
    )


class CommandProblemSerializer(
    RefusedProblemSerializer,
    PreconditionProblemSerializer,
    ForbiddenProblemSerializer,
    InvalidRequestProblemSerializer,
):
    """What a command of a list, or one that was only tried, would be answered with, whatever its status."""

    code = make_code()
    available = amount_text(required=False, help_text="What there was to take")
    instant = serializers.DateTimeField(required=False, help_text="The moment at which that was so")


class Kind(NamedTuple):
    """`name` is what the document calls such an answer."""

    name: str
    description: str
    serializer: type[ProblemSerializer] = ProblemSerializer


# By status.
KINDS = {
    400: Kind("BadRequest", "The request is malformed. It burns no id.", InvalidRequestProblemSerializer),
    401: Kind("Unauthorized", "No token, or none that counts."),
    402: Kind(
        "PaymentRequired",
        "Declined for want of funds, and recorded under the id.",
        InsufficientFundsProblemSerializer,
    ),
    403: Kind("Forbidden", "The token may not do this.", ForbiddenProblemSerializer),
    404: Kind("NotFound", "It is not there, or not yours."),
    408: Kind("RequestTimeout", "The body did not arrive in its time. Send it again."),
    409: Kind("Conflict", "The same identity is being worked on at this moment. Send the same again."),
    410: Kind("Gone", "What was asked for is not kept any more, or nothing can be made in its place."),
    411: Kind("LengthRequired", "A chunked body: send a Content-Length."),
    412: Kind("PreconditionFailed", "It is not as the request expects.", PreconditionProblemSerializer),
    413: Kind("ContentTooLarge", "Over 64 KiB, of a batch over 1 MiB."),
    415: Kind("UnsupportedMediaType", "Send application/json in UTF-8, without Content-Encoding."),
    422: Kind("UnprocessableContent", "Declined, and recorded; or refused.", RefusedProblemSerializer),
    429: Kind("TooManyRequests", "More than the ledger takes of a token. Send the same again later."),
    500: Kind("InternalServerError", "A fault of the ledger's. Send the same again."),
    503: Kind("ServiceUnavailable", "The ledger cannot answer at this moment. Send the same again."),
}
