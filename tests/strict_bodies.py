"""What a body may be, said a second time: so that what the API accepts can be judged by somebody else.

By the words of the contract, with none of the API's code but for cursors: a JSON object in UTF-8, no key
twice, no field that is not known, null as if not sent, and every value fit for its field.
"""

import re
from typing import Any, NamedTuple

from events.models import parse_cursor
from tests.strict_amounts import is_amount, is_id, is_limit, is_list_of_destinations, is_signed
from tests.strict_objects import NumberText, read_object
from tests.strict_texts import Fits, is_about, is_text
from tests.strict_times import is_expiry, is_time

BATCH = "POST /batches"
# Of this machine, the only one that tests may call.
LOOPBACK_URL = re.compile(
    r"https?://(?P<host>127(\.[0-9]{1,3}){3})(:(?P<port>[0-9]{1,5}))?([/?][!$-\[\]-~]*)?"
)
EVENT_TYPES = (
    *("user.created", "account.opened", "account.frozen", "account.unfrozen", "account.closed"),
    *("account.limits_changed", "transaction.posted", "transaction.declined", "hold.placed"),
    *("hold.declined", "hold.captured", "hold.released", "hold.expired", "hold.changed"),
    "hold.change_declined",
    *("claim.opened", "claim.declined", "claim.collected", "claim.waived"),
    *("threshold.set", "threshold.removed", "balance.fell_below", "balance.rose_above"),
)


class Field(NamedTuple):
    fits: Fits
    required: bool = False


def is_cursor(value: Any) -> bool:
    """One that the ledger has given: it is encrypted, and nobody else can say so."""
    return type(value) is str and parse_cursor(value) is not None


def is_one_of(*values: str) -> Fits:
    return lambda value: value in values


is_currency = is_one_of("USD", "EUR", "GBP", "JPY", "BHD", "RUB", "POINTS")


def is_new_id(value: Any) -> bool:
    """Neither of one digit only, nor of the kind that is made of keys."""
    digits = value.replace("-", "").lower() if is_id(value) else "0"
    return len(set(digits)) > 1 and not (digits[12] == "8" and digits[16] in "89ab")


is_key, is_value = is_about(0, 40, kind="identifier"), is_about(0, 500, kind="note")


def is_metadata(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 50
        and all(is_key(name) and is_value(text) for name, text in value.items())
    )


def is_flag(value: Any) -> bool:
    return type(value) is bool


def is_list_of_commands(value: Any) -> bool:
    """Whatever they are, no id stands twice: neither of holds, nor of claims, nor of what moves money."""
    if type(value) is not list or not 1 <= len(value) <= 1000:
        return False
    named = [item for item in value if is_valid_item(item) and item.get("id")]
    spaces = {"hold": 1, "claim": 2}
    return len({(spaces.get(item["command"]), item["id"].lower()) for item in named}) == len(named)


def is_valid_item(item: Any) -> bool:
    """It has the body of a call of its own, and in it what that call has in its address."""
    if type(item) is not dict or item.get("command") not in tuple(ITEMS):
        return False
    call, names = ITEMS[item["command"]]
    body = {name: value for name, value in item.items() if name != "command" and name not in names}
    if "id" in FIELDS[call] and body.get("id") is None:
        body["id"] = NOBODYS_ID
    return all(fits(item.get(name)) for name, fits in names.items()) and is_valid_object(call, body)


def is_hold_or_place(value: Any) -> bool:
    return is_id(value) or is_text(2, 4, "#(0|[1-9][0-9]{0,2})")(value)


ITEMS: dict[str, tuple[str, dict[str, Fits]]] = {
    "transaction": ("POST /transactions", {}),
    "transfer": ("POST /transfers", {}),
    "hold": ("POST /holds", {}),
    "capture": ("POST /holds/{id}/capture", {"hold": is_hold_or_place}),
    "release": ("POST /holds/{id}/release", {"hold": is_hold_or_place}),
    "reversal": ("POST /transactions/{id}/reverse", {"transaction": is_id}),
    "claim": ("POST /accounts/{id}/claims", {"account": is_id}),
}
NOBODYS_ID = "01910000-0000-7000-8000-000000000001"  # where an id may be left out


def is_url(value: Any) -> bool:
    found = LOOPBACK_URL.fullmatch(value) if is_text(1, 2048)(value) else None
    return (
        found is not None
        and 1 <= int(found["port"] or 80) <= 65535
        and all(str(int(part)) == part and int(part) <= 255 for part in found["host"].split("."))
    )


def is_list_of_types(value: Any) -> bool:
    is_list = type(value) is list and all(each in EVENT_TYPES for each in value)
    return is_list and len(set(value)) == len(value)


def is_count(value: Any) -> bool:
    return type(value) is NumberText and re.fullmatch(r"0|[1-9][0-9]{0,17}", value) is not None


NAME, HANDLE = is_about(1, 150, kind="name"), is_about(1, 150, kind="identifier")
REASON = is_about(1, 500, kind="note")
WHY = {"reason": Field(REASON, required=True)}
VERSION, SEQUENCE = {"expected_version": Field(is_count)}, {"expected_sequence": Field(is_count)}
MONEY = {
    "id": Field(is_new_id, required=True),
    "amount": Field(is_amount, required=True),
    "reference": Field(is_about(0, 200, kind="identifier")),
    "metadata": Field(is_metadata),
}
FIELDS: dict[str, dict[str, Field]] = {
    "POST /users": {
        "id": Field(is_new_id),
        "name": Field(NAME, required=True),
        "external_id": Field(HANDLE),
        "currency": Field(is_currency),
        "metadata": Field(is_metadata),
    },
    "PATCH /users/{id}": {"name": Field(NAME), "metadata": Field(is_metadata)},
    "POST /accounts": {
        "user": Field(is_id, required=True),
        "currency": Field(is_currency, required=True),
        "name": Field(HANDLE),
        "metadata": Field(is_metadata),
    },
    "PATCH /accounts/{id}": {"metadata": Field(is_metadata, required=True)},
    "POST /accounts/{id}/limits": {
        "credit_limit": Field(is_limit),
        "withdraw_max": Field(is_limit),
        "withdraw_day_max": Field(is_limit),
        "reason": Field(REASON),
        **SEQUENCE,
    },
    "POST /accounts/{id}/claims": {
        "id": MONEY["id"],
        "amount": MONEY["amount"],
        "reference": MONEY["reference"],
        "destination": Field(is_id),
        **WHY,
    },
    "POST /claims/{id}/waive": {**WHY},
    "POST /accounts/{id}/thresholds": {
        "amount": Field(is_signed, required=True),
        "of": Field(is_one_of("available", "balance"), required=True),
        **SEQUENCE,
    },
    "POST /holds/{id}/release": {"reason": Field(REASON), **SEQUENCE},
    **{f"POST /accounts/{{id}}/{how}": {**WHY, **SEQUENCE} for how in ("freeze", "unfreeze", "close")},
    "POST /transactions": {
        **MONEY,
        "account": Field(is_id),
        "user": Field(is_id),
        "currency": Field(is_currency),
        "type": Field(is_one_of("DEPOSIT", "WITHDRAW"), required=True),
        "effective_at": Field(is_time),
        **VERSION,
    },
    BATCH: {
        "atomic": Field(is_flag, required=True),
        "id": Field(is_new_id, required=True),
        "reference": Field(is_about(0, 200, kind="identifier")),
        "metadata": Field(is_metadata),
        "commands": Field(is_list_of_commands, required=True),
    },
    "POST /transactions/{id}/reverse": {
        "id": MONEY["id"],
        **WHY,
        **VERSION,
        "amount": Field(is_amount),
        "effective_at": Field(is_time),
        "claim": Field(is_flag),
    },
    "POST /batches/{id}/reverse": {"id": MONEY["id"], **WHY},
    "POST /transfers": {
        **MONEY,
        "source": Field(is_id),
        "source_user": Field(is_id),
        "destination": Field(is_id),
        "destination_user": Field(is_id),
        "currency": Field(is_currency),
        "destination_currency": Field(is_currency),
        "destination_amount": Field(is_amount),
        "effective_at": Field(is_time),
        **VERSION,
        "expected_destination_version": Field(is_count),
    },
    "POST /holds": {
        **MONEY,
        "account": Field(is_id),
        "user": Field(is_id),
        "currency": Field(is_currency),
        "expires_at": Field(is_expiry),
        **SEQUENCE,
    },
    "POST /holds/{id}/capture": {
        **MONEY,
        "amount": Field(is_amount),
        "final": Field(is_flag),
        "destination": Field(is_id),
        "destination_user": Field(is_id),
        "destinations": Field(is_list_of_destinations),
        **VERSION,
    },
    "PATCH /holds/{id}": {"amount": Field(is_amount), "expires_at": Field(is_expiry), **SEQUENCE},
    "POST /subscriptions": {
        "kind": Field(is_one_of("webhook", "broker"), required=True),
        "url": Field(is_url),
        "types": Field(is_list_of_types),
        "account": Field(is_id),
        "user": Field(is_id),
    },
    "PATCH /subscriptions/{id}": {"url": Field(is_url), "types": Field(is_list_of_types)},
    "POST /subscriptions/{id}/replay": {"after": Field(is_cursor)},
}
NOTHING_WILL_DO = {"POST /subscriptions/{id}/replay", "POST /holds/{id}/release"}
# Of these a body has one at least.
ONE_OF = {"POST /users": [{"id", "external_id"}]}
# And of these one and no other.
ONLY_ONE_OF = {
    "POST /transactions": [{"account", "user"}],
    "POST /holds": [{"account", "user"}],
    "POST /transfers": [{"source", "source_user"}, {"destination", "destination_user"}],
}
# These exclude each other.
EITHER = {
    "POST /holds/{id}/capture": [
        ({"destination"}, {"destination_user"}),
        ({"destinations"}, {"amount", "destination", "destination_user"}),
    ],
    "POST /subscriptions": [({"account"}, {"user"})],
}


def is_valid(call: str, body: bytes) -> bool:
    """Whether the API may accept the bytes as the body of this call (without an Idempotency-Key)."""
    if call in NOTHING_WILL_DO and not body:
        return True
    sent = read_object(body)
    is_fit = is_valid_object(call, sent)
    if is_fit and call == BATCH and sent["atomic"]:
        return all(is_valid_item(item) for item in sent["commands"])
    return is_fit


def is_valid_object(call: str, sent: Any) -> bool:
    fields = FIELDS[call]
    if type(sent) is not dict or not sent.keys() <= fields.keys():
        return False
    values = {name: value for name, value in sent.items() if value is not None}
    required = {name for name, field in fields.items() if field.required}
    if not required <= values.keys() or not all(some & values.keys() for some in ONE_OF.get(call, [])):
        return False
    if any(len(some & values.keys()) != 1 for some in ONLY_ONE_OF.get(call, [])):
        return False
    if any(one & values.keys() and others & values.keys() for one, others in EITHER.get(call, [])):
        return False
    if values.get("claim") is True and values.keys() & {"effective_at", "expected_version"}:
        return False
    if call == "POST /subscriptions" and (values["kind"] == "webhook") != ("url" in values):
        return False
    return all(fields[name].fits(value) for name, value in values.items())
