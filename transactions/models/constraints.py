"""What the database refuses of a transaction, whoever writes it, and by what it finds one."""

from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Length
from django.db.models.lookups import Exact

from accounts.currencies import AMOUNT_MAX
from accounts.models import BALANCE_MAX, IsFinite, metadata_has_texts

EFFECTIVE_AT_MIN = datetime(1970, 1, 1, tzinfo=UTC)

CONSTRAINTS = [
    models.CheckConstraint(condition=Q(type__in=["DEPOSIT", "WITHDRAW"]), name="transaction_type_is_known"),
    # PostgreSQL holds NaN to be larger than every number, so an upper bound refuses it.
    models.CheckConstraint(
        condition=Q(amount__gt=0, amount__lte=AMOUNT_MAX),
        name="transaction_amount_is_positive_and_bounded",
    ),
    models.CheckConstraint(
        condition=Q(amount_asked__isnull=True) | Q(amount_asked__gt=0, amount_asked__lte=AMOUNT_MAX),
        name="transaction_amount_asked_is_positive_and_bounded",
    ),
    models.CheckConstraint(
        condition=Q(
            status="POSTED",
            version__isnull=False,
            version__gte=1,
            decline_reason__isnull=True,
            decline_details__isnull=True,
        )
        | Q(
            status="DECLINED",
            version__isnull=True,
            decline_reason__isnull=False,
            decline_details__isnull=False,
        ),
        name="transaction_is_posted_with_version_or_declined_with_reason",
    ),
    models.CheckConstraint(
        condition=Q(balance_after__gte=-BALANCE_MAX, balance_after__lte=BALANCE_MAX),
        name="transaction_balance_after_is_bounded",
    ),
    models.CheckConstraint(condition=Q(seq__gte=1), name="transaction_seq_is_positive"),
    models.CheckConstraint(
        condition=Q(IsFinite(F("recorded_at")), IsFinite(F("effective_at"))),
        name="transaction_times_are_finite",
    ),
    models.CheckConstraint(
        condition=Q(effective_at_asked__isnull=True) | Q(IsFinite(F("effective_at_asked"))),
        name="transaction_effective_at_asked_is_finite",
    ),
    models.CheckConstraint(
        condition=Q(effective_at__gte=EFFECTIVE_AT_MIN, effective_at__lte=F("recorded_at")),
        name="transaction_is_not_effective_before_1970_or_in_the_future",
    ),
    models.CheckConstraint(condition=metadata_has_texts(), name="transaction_metadata_has_texts"),
    models.CheckConstraint(
        condition=Exact(Length(F("chain_hash")), Value(32)), name="transaction_has_a_whole_chain_hash"
    ),
    models.UniqueConstraint(fields=["account", "recorded_at"], name="transaction_recorded_at_is_used_once"),
]

INDEXES = [
    models.Index(
        fields=["account", "effective_at", "seq"],
        condition=Q(status="POSTED", late=False),
        name="transaction_in_order",
    ),
    models.Index(
        fields=["account", "effective_at"],
        condition=Q(status="POSTED", late=True),
        name="transaction_late_by_effect",
    ),
    models.Index(
        fields=["account", "seq"],
        include=["effective_at", "change"],
        condition=Q(status="POSTED", late=True),
        name="transaction_late_by_seq",
    ),
    models.Index(fields=["recorded_at", "id"], name="transaction_by_recording"),
    models.Index(fields=["reference"], condition=~Q(reference=""), name="transaction_by_reference"),
    models.Index(fields=["transfer"], condition=Q(transfer__isnull=False), name="transaction_by_transfer"),
    # Of reversals alone: else it holds every posting, and plans of a small ledger read all of it.
    models.Index(
        fields=["reverses"],
        condition=Q(status="POSTED", reverses__isnull=False),
        name="transaction_by_reversal",
    ),
    models.Index(fields=["hold"], condition=Q(hold__isnull=False), name="transaction_by_hold"),
    models.Index(fields=["claim"], condition=Q(claim__isnull=False), name="transaction_by_claim"),
    models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="transaction_by_batch"),
    models.Index(
        fields=["account", "recorded_at"], condition=Q(status="DECLINED"), name="transaction_declined"
    ),
]
