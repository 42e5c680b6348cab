"""What requests to move and read money hold."""

import dataclasses
from typing import Any
from uuid import UUID

from accounts.errors import AccountNotFound
from accounts.models import NAME_LENGTH_MAX, REASON_LENGTH_MAX
from accounts.rest.serializers import (
    ClaimRequest,
    CommandRequest,
    CurrencyField,
    HoldRequest,
    ReleaseRequest,
    VersionField,
    make_request_fields,
)
from ledger.errors import LedgerError
from ledger.text import Rule
from rest import fields, times
from rest.kinds import ItemField, KindField, KindsField, ObjectsField
from rest.serializers import StrictSerializer
from transactions.models import BATCH_TABLE, TABLE
from transactions.posting import PARTS_MAX, ROWS_MAX
from transactions.posting.commands import Command, Transfer


class TransactionRequest(CommandRequest):
    account = fields.UUIDField(required=False)
    user = fields.UUIDField(required=False, help_text="Instead of an account: the user's main account")
    currency = CurrencyField(
        required=False,
        help_text="Which of the user's main accounts",
    )
    vars().update(make_request_fields(TABLE.sent))
    expected_version = VersionField()


PARTS = {field.name for field in dataclasses.fields(Transfer)}


class TransferRequest(CommandRequest):
    source = fields.UUIDField(  # type: ignore[assignment]
        required=False, help_text="The account that the money leaves"
    )
    source_user = fields.UUIDField(required=False, help_text="Instead of it: the user's main account")
    destination = fields.UUIDField(required=False, help_text="The account that it goes to")
    destination_user = fields.UUIDField(required=False, help_text="Instead of it: the user's main account")
    currency = CurrencyField(
        required=False,
        help_text="Of the source; without a destination_amount of the destination too",
    )
    destination_currency = CurrencyField(required=False, help_text="Of the destination")
    vars().update(make_request_fields(column for column in TABLE.sent if column.asked in PARTS))
    destination_amount = fields.AmountField(
        required=False, help_text="What arrives, between accounts of two currencies; else as much as leaves"
    )
    expected_version = VersionField(help_text="Decline unless the source is at it")
    expected_destination_version = VersionField(help_text="Decline unless the destination is at it")


class BatchReversalRequest(CommandRequest):
    reason = fields.TextField(
        length_min=1, length_max=REASON_LENGTH_MAX, rule=Rule.NOTE, help_text="Kept in the metadata"
    )


class ReversalRequest(BatchReversalRequest):
    amount = fields.AmountField(
        required=False, help_text="Of the transaction named, at most what is left of it; default: all of that"
    )
    vars().update(make_request_fields(column for column in TABLE.sent if column.asked == "effective_at"))
    claim = fields.BooleanField(
        required=False,
        help_text="Default false. Of money that came in: what is not there any more is owed, as a claim,"
        " of a transfer in favour of its source. Answered by the claim",
    )
    expected_version = VersionField(
        help_text="Decline unless the account is at it; of a transfer its destination, which pays back"
    )


class DestinationRequest(StrictSerializer):
    destination = fields.UUIDField(required=False, help_text="The account that it goes to")
    destination_user = fields.UUIDField(required=False, help_text="Instead of it: the user's main account")
    amount = fields.AmountField()


class CaptureRequest(CommandRequest):
    body_is_optional = True
    amount = fields.AmountField(required=False, help_text="At most what is left; default: all of it")
    destination = fields.UUIDField(
        required=False, help_text="The account that it goes to: then the capture is a transfer"
    )
    destination_user = fields.UUIDField(required=False, help_text="Instead of it: the user's main account")
    destinations = ObjectsField(
        of=DestinationRequest,
        length_max=PARTS_MAX,
        required=False,
        help_text="Several of them with their amounts, which are the capture's: all are paid or none",
    )
    final = fields.BooleanField(required=False, help_text="Default true: what is left is given back")
    vars().update(
        make_request_fields(column for column in TABLE.sent if column.name in ("reference", "metadata"))
    )
    expected_version = VersionField(help_text="Decline unless the account of the hold is at it")


def make_item(name: str, request: type[StrictSerializer], **more: fields.Field) -> type[StrictSerializer]:
    """What may be sent of a command in a list: its own body, its name, and what it is about."""
    if issubclass(request, CommandRequest):
        more["id"] = fields.IdentityField(
            required=False,
            help_text="Best a UUIDv7. Default: derived from the list's id and the item's place",
        )
    return type(f"{name.capitalize()}Item", (request,), {"command": KindField(name), **more})


# What may stand in a list, by the name of the command.
ITEMS = {
    "transaction": make_item("transaction", TransactionRequest),
    "transfer": make_item("transfer", TransferRequest),
    "hold": make_item("hold", HoldRequest),
    "capture": make_item("capture", CaptureRequest, hold=ItemField()),
    "release": make_item("release", ReleaseRequest, hold=ItemField()),
    "reversal": make_item(
        "reversal", ReversalRequest, transaction=fields.UUIDField(help_text="Of a transfer either leg")
    ),
    "claim": make_item("claim", ClaimRequest, account=fields.UUIDField()),
}
COMMANDS = KindsField(
    name="Command",
    tag="command",
    of=ITEMS,
    length_max=ROWS_MAX,
    help_text="Decided in this order. Without an id of its own an item has one that is derived",
)


class BatchRequest(CommandRequest):
    atomic = fields.BooleanField(help_text="All are posted or none; else each for itself, in one commit")
    vars().update(make_request_fields(BATCH_TABLE.sent))
    commands = COMMANDS


# Made by a call, since `from` can be no attribute's name in a class body.
StatementQuery: type[StrictSerializer] = type(
    "StatementQuery",
    (StrictSerializer,),
    {
        "from": times.DateField(help_text="The first day, inclusive"),
        "to": times.DateField(help_text="The last day, inclusive"),
        "tz": times.TimeZoneField(required=False, help_text="The zone of the days; default: UTC"),
    },
)


class BalanceQuery(StrictSerializer):
    at = times.TimeField(required=False, help_text="Effective by this moment, inclusive; default: now")
    known_at = times.TimeField(
        required=False, help_text="As the ledger knew it at this moment, inclusive; default: now"
    )
    tz = times.TimeZoneField(required=False, help_text="The zone of times without an offset; default: UTC")


class UserBalanceQuery(BalanceQuery):
    currency = CurrencyField(required=False)
    account = fields.TextField(
        length_min=1,
        length_max=NAME_LENGTH_MAX,
        rule=Rule.IDENTIFIER,
        required=False,
        help_text="The account's name; default: main",
    )


# By what a command calls an account: how a user is sent instead of it, and in which currency.
SENT_AS = {
    "account": ("user", "currency"),
    "source": ("source_user", "currency"),
    "destination": ("destination_user", ""),
}


def find_users(asked: dict[str, Any]) -> dict[str, UUID]:
    """The users that are named in place of accounts, by what the accounts are called."""
    return {name: asked[user] for name, (user, _) in SENT_AS.items() if user in asked}


def name_as_asked(error: LedgerError, users: dict[str, UUID]) -> None:
    """For a request that named users: call an account that differs what was sent, a user or a currency.

    Other errors than a reused id have no `differs` and stay as they are.
    """
    owner_id, _ = error.confidential_to or (None, "")
    for account, user_id in users.items():
        if account in (differs := error.extensions.get("differs", ())):
            user, currency = SENT_AS[account]
            name = currency if currency and owner_id == user_id else user
            error.extensions["differs"] = [name, *(field for field in differs if field != account)]


# The attributes of commands that are accounts, and what requests call them.
CALLED = {"account_id": "account", "source_id": "source", "destination_id": "destination"}


def point_to_account(error: LedgerError, command: Command) -> None:
    """Say which field of the command's request has the account that there is not. Other errors stay as they
    are."""
    if not isinstance(error, AccountNotFound) or error.account_id is None:
        return
    for attribute, name in CALLED.items():
        if getattr(command, attribute, None) == error.account_id:
            error.about(name)
    for number, (account_id, _) in enumerate(getattr(command, "destinations", ())):
        if account_id == error.account_id:
            error.about(f"destinations/{number}/destination")
