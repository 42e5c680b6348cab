"""The ledger's rows: one per movement of money on one account, append-only."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import models
from django.db.models import Case, F, When
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.idempotency import make_uuid8
from accounts.models import (
    REFERENCE_LENGTH_MAX,
    Account,
    Column,
    Kind,
    MoneyField,
    Table,
)
from ledger.callers import ActorKind
from transactions.models.constraints import CONSTRAINTS, INDEXES


class Transaction(models.Model):
    """One DEPOSIT or WITHDRAW on one account: what was asked, and what was decided, once and for ever.

    Only `transactions.posting` writes rows, in one statement with the account they move. The table's primary
    key is (account, seq): ADR 19.
    """

    class Type(models.TextChoices):
        DEPOSIT = "DEPOSIT", _("deposit")
        WITHDRAW = "WITHDRAW", _("withdrawal")

    class Status(models.TextChoices):
        POSTED = "POSTED", _("posted")
        DECLINED = "DECLINED", _("declined")

    id = models.UUIDField(primary_key=True, help_text="Chosen by the client: the identity of the command")
    # What was asked
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("account")
    )
    type = models.CharField(_("type"), max_length=8, choices=Type)
    amount = MoneyField(_("amount"))
    reference = models.CharField(_("reference"), max_length=REFERENCE_LENGTH_MAX)
    metadata = models.JSONField(_("metadata"))
    effective_at_asked = models.DateTimeField(_("effective at asked"), null=True)
    amount_asked = MoneyField(
        _("amount asked"), null=True, help_text="Of a reversal or a capture; null: all that was left"
    )
    final = models.BooleanField(
        _("final"), null=True, help_text="Of a capture: whether the rest of the hold was given back"
    )
    # What was decided
    status = models.CharField(_("status"), max_length=8, choices=Status)
    decline_reason = models.CharField(_("decline reason"), max_length=40, null=True)
    decline_details = models.JSONField(_("decline details"), null=True)
    seq = models.BigIntegerField(
        _("number"), help_text="1, 2, 3 … of all rows of the account: the order of the chain"
    )
    version = models.BigIntegerField(_("version"), null=True, help_text="1, 2, 3 … of its posted rows")
    balance_after = MoneyField(
        _("balance after"), help_text="The account's balance right after, in posting order"
    )
    recorded_at = models.DateTimeField(
        _("recorded at"), help_text="When the ledger wrote it, by the database's clock"
    )
    effective_at = models.DateTimeField(_("effective at"), help_text="When the money moved in the world")
    late = models.BooleanField(
        _("late"), help_text="Effective earlier than something the account already had"
    )
    # What it belongs to
    transfer = models.UUIDField(_("transfer"), null=True)
    batch = models.UUIDField(_("batch"), null=True)
    reverses = models.UUIDField(_("reverses"), null=True)
    hold = models.UUIDField(_("hold"), null=True)
    claim = models.UUIDField(_("claim"), null=True)
    actor = models.UUIDField(_("actor"))
    actor_kind = models.CharField(_("kind of actor"), max_length=10, choices=ActorKind)
    request_id = models.CharField(_("request id"), max_length=64)
    chain_format = models.SmallIntegerField(_("chain format"), help_text="The form that the hash is of")
    chain_hash = models.BinaryField(_("chain hash"))
    change = models.GeneratedField(
        expression=Case(
            When(status="POSTED", type="DEPOSIT", then="amount"), When(status="POSTED", then=-F("amount"))
        ),
        output_field=MoneyField(null=True),
        db_persist=True,
        verbose_name=_("change"),
        help_text="What it adds to the balance; null if it was declined",
    )

    # What was taken back of it, and by which transactions, the oldest first: filled in by queries.
    reversed: Decimal = Decimal(0)
    reversed_by: Sequence[str] = []
    # What `reading.relations` fills in: the account of the other leg, and the correction that became this.
    other: Account | None = None
    correction: Any = None

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        constraints = CONSTRAINTS
        indexes = INDEXES

    def __str__(self) -> str:
        return f"{self.type} {self.amount.normalize():f} {self.id}"

    @property
    def signed_amount(self) -> Decimal:
        """What it adds to the balance, or would have added."""
        return self.amount if self.type == self.Type.DEPOSIT else -self.amount

    @property
    def left(self) -> Decimal:
        """What can still be taken back of it."""
        return self.amount - self.reversed

    @property
    def balance_before(self) -> Decimal:
        """What the account held when it was decided."""
        return self.balance_after - (self.change or 0)

    def to_dict(self) -> dict[str, Any]:
        """The transaction as the API shows it."""
        return TABLE.to_dict(self, self.currency)

    @cached_property
    def as_json(self) -> bytes:
        """`to_dict` as JSON. Made once, for a new row's statement, its event and its answer: a decided row
        never changes.
        """
        return orjson.dumps(self.to_dict())

    # What is told of it beside its columns, and texts that stand in it several times. Whoever makes or reads
    # many rows knows them; else they are read of the row's account.

    @cached_property
    def user_id(self) -> UUID:
        return self.account.user_id

    @cached_property
    def currency(self) -> str:
        return self.account.currency

    @cached_property
    def id_text(self) -> str:
        return str(self.id)

    @cached_property
    def account_id_text(self) -> str:
        return str(self.account_id)

    @cached_property
    def user_id_text(self) -> str:
        return str(self.user_id)

    @cached_property
    def actor_text(self) -> str:
        return str(self.actor)


# All of a row for `raw()`. With `*` a statement that is prepared fails when the next release adds a column.
COLUMNS = ", ".join(str(field.column) for field in Transaction._meta.concrete_fields)

# Everything that is read, written, hashed, compared or shown of a transaction, in the order of answers and of
# the chain. To add a column: its field above, a line here, the migration, and who decides its value.
TABLE = Table(
    "transactions_transaction",
    Column(name="id", kind=Kind.ID, has_text=True),
    Column(name="account", kind=Kind.ID, has_text=True, attribute="account_id", asked="account_id"),
    Column(name="user", kind=Kind.ID, has_text=True, attribute="user_id", stored=False),
    Column(name="type", kind=Kind.CHOICE, choices=Transaction.Type, asked="type", sent="required"),
    Column(name="amount", kind=Kind.AMOUNT, asked="amount", sent="required"),
    Column(name="currency", kind=Kind.TEXT, stored=False),
    Column(name="status", kind=Kind.CHOICE, choices=Transaction.Status),
    Column(name="decline_reason", kind=Kind.TEXT, null=True),
    Column(name="decline_details", kind=Kind.OBJECT, null=True),
    Column(name="seq", kind=Kind.COUNT, shown=False),
    Column(name="version", kind=Kind.COUNT, null=True),
    Column(name="balance_after", kind=Kind.AMOUNT),
    Column(name="effective_at", kind=Kind.TIME),
    Column(name="recorded_at", kind=Kind.TIME),
    Column(name="late", kind=Kind.FLAG),
    Column(
        name="reference",
        kind=Kind.TEXT,
        length_max=REFERENCE_LENGTH_MAX,
        asked="reference",
        sent="optional",
        help="Your own word for it; the same may stand on as many as you like",
    ),
    Column(name="metadata", kind=Kind.OBJECT, asked="metadata", sent="optional"),
    Column(name="transfer", kind=Kind.ID, null=True, asked="transfer"),
    Column(name="batch", kind=Kind.ID, null=True),
    Column(name="reverses", kind=Kind.ID, null=True, asked="reverses"),
    Column(name="reversed", kind=Kind.AMOUNT, stored=False),
    Column(name="reversed_by", kind=Kind.IDS, stored=False),
    Column(name="hold", kind=Kind.ID, null=True, asked="hold"),
    Column(name="final", kind=Kind.FLAG, null=True, asked="final"),
    Column(name="claim", kind=Kind.ID, null=True, asked="claim"),
    Column(name="request_id", kind=Kind.TEXT),
    Column(
        name="effective_at_asked",
        kind=Kind.TIME,
        null=True,
        asked="effective_at",
        sent="optional",
        shown=False,
        help="When the money moved; default, and what a date of today means: now",
    ),
    Column(name="amount_asked", kind=Kind.AMOUNT, null=True, asked="amount_asked", shown=False),
    Column(name="actor", kind=Kind.ID, has_text=True, shown=False),
    Column(name="actor_kind", kind=Kind.CHOICE, choices=ActorKind, shown=False),
    Column(name="chain_format", kind=Kind.COUNT, hashed=False, shown=False),  # it is how the hash begins
    Column(name="chain_hash", kind=Kind.HASH, hashed=False, shown=False),
)


def derive_part_id(capture_id: UUID, index: int) -> UUID:
    """The id of a part of a capture into several accounts, from 0 on; the first has the capture's."""
    if index == 0:
        return capture_id
    return make_uuid8(str(capture_id).encode() + b"\x00part\x00" + str(index).encode())


def derive_destination_id(transfer_id: UUID) -> UUID:
    """The id of a transfer's DEPOSIT leg; that of the WITHDRAW leg is the transfer's."""
    return make_uuid8(str(transfer_id).encode() + b"\x00destination")
