"""Transactions, corrections and what is known of them, and what the database itself refuses.

A balance changes only together with the transactions that explain it, and they only with their account: these
guards look at the end of the statement that made the change, so a posting has to be one statement.
"""

import datetime
from decimal import Decimal

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import accounts.models.columns
from transactions.migrations import _claims

# Django knows `id` as the key, and the admin takes no key of two columns; the table begins with the account.
KEYS = """
ALTER TABLE transactions_transaction
    DROP CONSTRAINT transactions_transaction_pkey,
    ADD PRIMARY KEY (account_id, seq),
    ADD CONSTRAINT transaction_id_is_used_once UNIQUE (id);
"""
GUARDS = """
CREATE TRIGGER transaction_is_never_changed BEFORE UPDATE OR DELETE ON transactions_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER transactions_are_never_emptied BEFORE TRUNCATE ON transactions_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_require_transactions_of_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint := NEW.seq - OLD.seq;
    posted bigint := NEW.version - OLD.version;
    seen bigint;                -- how many new transactions there are
    versions bigint;            -- and with how many versions
    first_version bigint;
    last_version bigint;
    moved numeric;              -- what they add up to
    ending numeric;             -- the balance after the last of them
    last_at timestamptz;        -- and when that was recorded
BEGIN
    IF wanted = 1 THEN
        -- In the order of the key: so no other index is as cheap, whatever the statistics.
        SELECT (seq = NEW.seq)::int, (version IS NOT NULL)::int, version, version, coalesce(change, 0),
                balance_after, recorded_at
            INTO seen, versions, first_version, last_version, moved, ending, last_at
            FROM public.transactions_transaction
            WHERE account_id = NEW.id AND seq >= NEW.seq ORDER BY seq LIMIT 1;
    ELSIF wanted > 1 THEN
        -- The closed upper bound lets the planner expect few rows.
        SELECT count(*), count(DISTINCT version), min(version), max(version), coalesce(sum(change), 0),
                max(balance_after) FILTER (WHERE seq = NEW.seq), max(recorded_at) FILTER (WHERE seq = NEW.seq)
            INTO seen, versions, first_version, last_version, moved, ending, last_at
            FROM public.transactions_transaction
            WHERE account_id = NEW.id AND seq > OLD.seq AND seq <= NEW.seq;
    END IF;
    IF last_at < NEW.last_recorded_at THEN  -- another event came after the last of them
        SELECT recorded_at INTO last_at
            FROM public.events_event WHERE stream = NEW.id AND sequence = NEW.event_sequence;
    END IF;
    IF (seen = wanted AND versions = posted AND moved = NEW.balance - OLD.balance AND ending = NEW.balance
        AND last_at = NEW.last_recorded_at
        AND (posted = 0 OR first_version = OLD.version + 1 AND last_version = NEW.version)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'the balance of account % is not explained by its transactions', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_account_of_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (
        SELECT account_id, min(seq) AS first, max(seq) AS last, count(*) AS many FROM new_rows GROUP BY account_id
    ) AS written
    LEFT JOIN LATERAL (
        SELECT seq FROM public.accounts_account WHERE id = written.account_id OFFSET 0
    ) AS account ON true
    WHERE account.seq IS DISTINCT FROM written.last OR written.last - written.first + 1 <> written.many
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a transaction was written without its account' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER balance_has_its_transactions AFTER UPDATE ON accounts_account
    FOR EACH ROW WHEN (
        (OLD.balance, OLD.seq, OLD.version) IS DISTINCT FROM (NEW.balance, NEW.seq, NEW.version)
    )
    EXECUTE FUNCTION ledger_require_transactions_of_balance();
CREATE TRIGGER transactions_have_their_account AFTER INSERT ON transactions_transaction
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_transactions();

-- What has been taken back of a transaction.
CREATE FUNCTION ledger_sum_taken_back(taken uuid) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(amount), 0) FROM public.transactions_transaction
        WHERE reverses = taken AND status = 'POSTED'
    ) + (  -- a claim names a transfer by the id of all of it
        SELECT coalesce(sum(amount), 0) FROM public.accounts_claim
        WHERE status <> 'DECLINED' AND reverses = coalesce(
            (SELECT transfer FROM public.transactions_transaction WHERE id = taken), taken
        )
    );
END $$;

-- Reversals of one row are rows of one account, whose lock the statement has: what another session has taken
-- back is committed, and each of these queries sees it, and all rows of its own statement.
CREATE FUNCTION ledger_require_what_is_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.transactions_transaction AS given
    WHERE given.id = NEW.reverses AND given.account_id = NEW.account_id AND given.status = 'POSTED'
        AND given.reverses IS NULL AND given.type <> NEW.type AND given.effective_at <= NEW.effective_at
        AND public.ledger_sum_taken_back(NEW.reverses) <= given.amount;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the reversal % is of what is not left of a posted transaction of its account', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reversals_never_exceed_their_original AFTER INSERT ON transactions_transaction
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL AND NEW.status = 'POSTED')
    EXECUTE FUNCTION ledger_require_what_is_left();

ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER reversals_never_exceed_their_original;
ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER transaction_is_never_changed;
ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER transactions_are_never_emptied;
ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER transactions_have_their_account;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER balance_has_its_transactions;
CREATE FUNCTION ledger_start_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'WAITING' THEN
        RAISE EXCEPTION 'correction % starts waiting', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION ledger_decide_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'WAITING' OR NEW.status = 'WAITING'
        OR (NEW.id, NEW.kind, NEW.account_id, NEW.type, NEW.amount, NEW.reference, NEW.reason, NEW.maker_id,
            NEW.made_at, NEW.request_id, NEW.needs_approval)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.account_id, OLD.type, OLD.amount, OLD.reference, OLD.reason,
            OLD.maker_id, OLD.made_at, OLD.request_id, OLD.needs_approval)
        OR (NEW.reverses, NEW.claim, NEW.destination, NEW.batch, NEW.place, NEW.batch_size)
        IS DISTINCT FROM (OLD.reverses, OLD.claim, OLD.destination, OLD.batch, OLD.place, OLD.batch_size)
    THEN
        RAISE EXCEPTION 'correction % is decided once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER correction_starts_waiting BEFORE INSERT ON transactions_correction
    FOR EACH ROW EXECUTE FUNCTION ledger_start_correction();
CREATE TRIGGER correction_is_decided_once BEFORE UPDATE ON transactions_correction
    FOR EACH ROW EXECUTE FUNCTION ledger_decide_correction();
CREATE TRIGGER correction_is_never_deleted BEFORE DELETE ON transactions_correction
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER corrections_are_never_emptied BEFORE TRUNCATE ON transactions_correction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER correction_starts_waiting;
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER correction_is_decided_once;
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER correction_is_never_deleted;
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER corrections_are_never_emptied;
CREATE TRIGGER batch_is_never_changed BEFORE UPDATE OR DELETE ON transactions_batch
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER batches_are_never_emptied BEFORE TRUNCATE ON transactions_batch
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE transactions_batch ENABLE ALWAYS TRIGGER batch_is_never_changed;
ALTER TABLE transactions_batch ENABLE ALWAYS TRIGGER batches_are_never_emptied;
"""
GUARDS += _claims.GUARDS
WITHOUT_GUARDS = """
DROP TRIGGER batches_are_never_emptied ON transactions_batch;
DROP TRIGGER batch_is_never_changed ON transactions_batch;
DROP TRIGGER corrections_are_never_emptied ON transactions_correction;
DROP TRIGGER correction_is_never_deleted ON transactions_correction;
DROP TRIGGER correction_is_decided_once ON transactions_correction;
DROP TRIGGER correction_starts_waiting ON transactions_correction;
DROP TRIGGER reversals_never_exceed_their_original ON transactions_transaction;
DROP TRIGGER transactions_have_their_account ON transactions_transaction;
DROP TRIGGER balance_has_its_transactions ON accounts_account;
DROP TRIGGER transactions_are_never_emptied ON transactions_transaction;
DROP TRIGGER transaction_is_never_changed ON transactions_transaction;
DROP FUNCTION ledger_decide_correction();
DROP FUNCTION ledger_start_correction();
DROP FUNCTION ledger_require_what_is_left();
DROP FUNCTION ledger_sum_taken_back(uuid);
DROP FUNCTION ledger_require_account_of_transactions();
DROP FUNCTION ledger_require_transactions_of_balance();
"""
WITHOUT_GUARDS = _claims.WITHOUT_GUARDS + WITHOUT_GUARDS


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("events", "0001_initial"),
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                (
                    "finished_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="finished at"
                    ),
                ),
                (
                    "seen_through",
                    models.DateTimeField(
                        help_text="All that was recorded up to here was seen: for `--since`",
                        verbose_name="seen through",
                    ),
                ),
                (
                    "is_whole",
                    models.BooleanField(
                        db_default=False,
                        help_text="All accounts and all checks, if perhaps since an earlier one",
                        verbose_name="is whole",
                    ),
                ),
                (
                    "since",
                    models.DateTimeField(
                        help_text="Only what was recorded after; null: all", null=True, verbose_name="since"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        help_text="If it was of one alone",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
                ("accounts", models.BigIntegerField(verbose_name="accounts")),
                ("rows", models.BigIntegerField(verbose_name="rows")),
                ("findings", models.BigIntegerField(verbose_name="findings")),
                (
                    "found",
                    models.JSONField(db_default=models.Value([], models.JSONField()), verbose_name="found"),
                ),
            ],
            options={
                "verbose_name": "audit",
                "verbose_name_plural": "audits",
                "indexes": [models.Index(fields=["finished_at"], name="audit_run_by_end")],
            },
        ),
        migrations.CreateModel(
            name="Figures",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_through", models.DateTimeField(null=True)),
                ("biggest", models.JSONField(default=dict)),
                ("held", models.JSONField(default=dict)),
                ("biggest_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="figures_are_one_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="HourlyTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("currency", models.CharField(max_length=12)),
                ("type", models.CharField(max_length=8)),
                (
                    "outcome",
                    models.CharField(help_text="`posted`, or the reason of the decline", max_length=40),
                ),
                ("count", models.BigIntegerField()),
                ("amount", models.DecimalField(decimal_places=8, max_digits=40)),
                (
                    "late",
                    models.BigIntegerField(default=0, help_text="Of `count`: posted into the past"),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "currency", "type", "outcome"), name="hourly_total_stands_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ADJUSTMENT", "adjustment"),
                            ("REVERSAL", "reversal"),
                            ("CLAIM", "claim"),
                            ("WAIVER", "waiver of a claim"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        blank=True,
                        choices=[("DEPOSIT", "deposit"), ("WITHDRAW", "withdrawal")],
                        max_length=8,
                        verbose_name="type",
                    ),
                ),
                (
                    "amount",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, max_digits=28, verbose_name="amount"
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=200, verbose_name="reference")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("reverses", models.UUIDField(null=True, verbose_name="reverses")),
                (
                    "claim",
                    models.UUIDField(help_text="The one that is waived", null=True, verbose_name="claim"),
                ),
                (
                    "destination",
                    models.UUIDField(
                        help_text="Of a claim that takes nothing back: the account that is paid",
                        null=True,
                        verbose_name="destination",
                    ),
                ),
                ("batch", models.UUIDField(null=True, verbose_name="batch")),
                (
                    "place",
                    models.SmallIntegerField(db_default=0, default=0, verbose_name="place in the batch"),
                ),
                (
                    "batch_size",
                    models.SmallIntegerField(db_default=1, default=1, verbose_name="size of the batch"),
                ),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="requested at"
                    ),
                ),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                ("needs_approval", models.BooleanField(verbose_name="needs approval")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("WAITING", "waiting for approval"),
                            ("POSTED", "posted"),
                            ("DECLINED", "declined by the ledger"),
                            ("REJECTED", "rejected"),
                        ],
                        default="WAITING",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "decision_reason",
                    models.CharField(blank=True, max_length=500, verbose_name="reason of the decision"),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "checker",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "maker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
            ],
            options={
                "verbose_name": "correction",
                "verbose_name_plural": "corrections",
                "permissions": [
                    ("adjust_account", "Can post deposits and withdrawals of staff"),
                    ("reverse_transaction", "Can reverse transactions"),
                    ("approve_correction", "Can approve and reject what others have asked for"),
                ],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["made_at", "id"], name="correction_by_making"),
                    models.Index(
                        condition=models.Q(("status", "WAITING")),
                        fields=["made_at", "id"],
                        name="correction_waiting",
                    ),
                    models.Index(fields=["maker", "made_at"], name="correction_of_a_maker"),
                    models.Index(fields=["account", "made_at"], name="correction_of_an_account"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("claim", None),
                                ("destination", None),
                                ("kind", "ADJUSTMENT"),
                                ("reverses", None),
                                models.Q(("reference", ""), _negated=True),
                            ),
                            models.Q(
                                ("claim", None),
                                ("destination", None),
                                ("kind", "REVERSAL"),
                                ("reverses__isnull", False),
                            ),
                            models.Q(("claim", None), ("kind", "CLAIM"), ("reverses", None)),
                            models.Q(
                                ("claim", None),
                                ("destination", None),
                                ("kind", "CLAIM"),
                                ("reverses__isnull", False),
                            ),
                            models.Q(
                                ("claim__isnull", False),
                                ("destination", None),
                                ("kind", "WAIVER"),
                                ("reverses", None),
                            ),
                            _connector="OR",
                        ),
                        name="correction_names_what_its_kind_is_about",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ["ADJUSTMENT", "REVERSAL"]),
                                ("type__in", ["DEPOSIT", "WITHDRAW"]),
                            ),
                            models.Q(("kind", "CLAIM"), ("type", "WITHDRAW")),
                            models.Q(("kind", "WAIVER"), ("type", "")),
                            _connector="OR",
                        ),
                        name="correction_type_fits_its_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("amount__lte", Decimal("1000000000000"))),
                        name="correction_amount_is_positive_and_bounded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="correction_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("batch", None), ("batch_size", 1), ("place", 0)),
                            models.Q(
                                ("batch__isnull", False),
                                ("batch_size__lte", 1000),
                                ("kind", "REVERSAL"),
                                ("place__gte", 0),
                                ("place__lt", models.F("batch_size")),
                            ),
                            _connector="OR",
                        ),
                        name="correction_is_alone_or_a_reversal_of_a_batch",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("batch__isnull", False)),
                        fields=("batch", "place"),
                        name="correction_has_its_place_in_a_batch",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("checker__isnull", True), ("decided_at__isnull", True), ("status", "WAITING")
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("status__in", ["POSTED", "DECLINED", "REJECTED"]),
                            ),
                            _connector="OR",
                        ),
                        name="correction_is_waiting_or_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("needs_approval", True),
                                ("status__in", ["POSTED", "DECLINED"]),
                                _negated=True,
                            ),
                            models.Q(
                                ("checker__isnull", False),
                                models.Q(("checker", models.F("maker")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="correction_is_approved_by_somebody_else",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "REJECTED"), _negated=True),
                            ("checker__isnull", False),
                            _connector="OR",
                        ),
                        name="correction_is_rejected_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        help_text="Chosen by the client: the identity of the list",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("atomic", models.BooleanField(verbose_name="all or nothing")),
                ("reference", models.CharField(max_length=200, verbose_name="reference")),
                ("metadata", models.JSONField(verbose_name="metadata")),
                (
                    "fingerprint",
                    models.BinaryField(
                        help_text="A keyed hash of what was asked", verbose_name="fingerprint"
                    ),
                ),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                ("actor", models.UUIDField(verbose_name="actor")),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("service", "service"),
                            ("holder", "account holder"),
                            ("staff", "member of staff"),
                            ("command", "operator's command"),
                            ("ledger", "the ledger itself"),
                        ],
                        max_length=10,
                        verbose_name="kind of actor",
                    ),
                ),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                ("mac", models.BinaryField(verbose_name="MAC")),
            ],
            options={
                "verbose_name": "batch",
                "verbose_name_plural": "batches",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=accounts.models.columns.HasTexts(models.F("metadata")),
                        name="batch_metadata_has_texts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(accounts.models.columns.IsFinite(models.F("recorded_at"))),
                        name="batch_recorded_at_is_finite",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Length(models.F("fingerprint")),
                                models.Value(33),
                            ),
                            django.db.models.lookups.Exact(
                                django.db.models.functions.text.Length(models.F("mac")), models.Value(33)
                            ),
                        ),
                        name="batch_has_whole_macs",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchedAmount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "amount",
                        "at",
                        "id",
                        "is_hold",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("amount", accounts.models.columns.MoneyField(decimal_places=8, max_digits=28)),
                ("at", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("is_hold", models.BooleanField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SearchedTerm",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "term",
                        "at",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("term", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("id", models.UUIDField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SearchedReference",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "id", "is_hold", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("id", models.UUIDField()),
                ("is_hold", models.BooleanField()),
                ("recorded_at", models.DateTimeField()),
                ("reference", models.TextField(help_text="Its words")),
                (
                    "keys",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=True, gin_pending_list_limit=128, fields=["keys"], name="reference_by_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchedPerson",
            fields=[
                ("user_id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.TextField(help_text="Its words, with a space between")),
                ("external_id", models.TextField(help_text="Its words; empty: none")),
                (
                    "contacts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        help_text="E-mail addresses, and the digits of phone numbers",
                        size=None,
                    ),
                ),
                (
                    "keys",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["keys"], name="person_by_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchState",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
                (
                    "rebuilding",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "nothing"),
                            ("people", "People"),
                            ("transactions", "Transactions"),
                            ("holds", "Holds"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("before_at", models.DateTimeField(null=True)),
                ("before_id", models.UUIDField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="search_state_is_one_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="Transaction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        help_text="Chosen by the client: the identity of the command",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("DEPOSIT", "deposit"), ("WITHDRAW", "withdrawal")],
                        max_length=8,
                        verbose_name="type",
                    ),
                ),
                (
                    "amount",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, max_digits=28, verbose_name="amount"
                    ),
                ),
                ("reference", models.CharField(max_length=200, verbose_name="reference")),
                ("metadata", models.JSONField(verbose_name="metadata")),
                ("effective_at_asked", models.DateTimeField(null=True, verbose_name="effective at asked")),
                (
                    "status",
                    models.CharField(
                        choices=[("POSTED", "posted"), ("DECLINED", "declined")],
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("decline_reason", models.CharField(max_length=40, null=True, verbose_name="decline reason")),
                ("decline_details", models.JSONField(null=True, verbose_name="decline details")),
                (
                    "seq",
                    models.BigIntegerField(
                        help_text="1, 2, 3 … of all rows of the account: the order of the chain",
                        verbose_name="number",
                    ),
                ),
                (
                    "version",
                    models.BigIntegerField(
                        help_text="1, 2, 3 … of its posted rows", null=True, verbose_name="version"
                    ),
                ),
                (
                    "balance_after",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        help_text="The account's balance right after, in posting order",
                        max_digits=28,
                        verbose_name="balance after",
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        help_text="When the ledger wrote it, by the database's clock",
                        verbose_name="recorded at",
                    ),
                ),
                (
                    "effective_at",
                    models.DateTimeField(
                        help_text="When the money moved in the world", verbose_name="effective at"
                    ),
                ),
                (
                    "late",
                    models.BooleanField(
                        help_text="Effective earlier than something the account already had",
                        verbose_name="late",
                    ),
                ),
                ("transfer", models.UUIDField(null=True, verbose_name="transfer")),
                ("batch", models.UUIDField(null=True, verbose_name="batch")),
                ("reverses", models.UUIDField(null=True, verbose_name="reverses")),
                ("hold", models.UUIDField(null=True, verbose_name="hold")),
                (
                    "final",
                    models.BooleanField(
                        help_text="Of a capture: whether the rest of the hold was given back",
                        null=True,
                        verbose_name="final",
                    ),
                ),
                ("claim", models.UUIDField(null=True, verbose_name="claim")),
                (
                    "amount_asked",
                    accounts.models.columns.MoneyField(
                        help_text="Of a reversal or a capture; null: all that was left",
                        null=True,
                        verbose_name="amount asked",
                    ),
                ),
                ("actor", models.UUIDField(verbose_name="actor")),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("service", "service"),
                            ("holder", "account holder"),
                            ("staff", "member of staff"),
                            ("command", "operator's command"),
                            ("ledger", "the ledger itself"),
                        ],
                        max_length=10,
                        verbose_name="kind of actor",
                    ),
                ),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                (
                    "chain_format",
                    models.SmallIntegerField(
                        help_text="The form that the hash is of", verbose_name="chain format"
                    ),
                ),
                ("chain_hash", models.BinaryField(verbose_name="chain hash")),
                (
                    "change",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(status="POSTED", then="amount", type="DEPOSIT"),
                            models.When(
                                status="POSTED",
                                then=django.db.models.expressions.CombinedExpression(
                                    models.F("amount"), "*", models.Value(-1)
                                ),
                            ),
                        ),
                        help_text="What it adds to the balance; null if it was declined",
                        output_field=accounts.models.columns.MoneyField(
                            decimal_places=8, max_digits=28, null=True
                        ),
                        verbose_name="change",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "transaction",
                "verbose_name_plural": "transactions",
                "indexes": [
                    models.Index(
                        condition=models.Q(("late", False), ("status", "POSTED")),
                        fields=["account", "effective_at", "seq"],
                        name="transaction_in_order",
                    ),
                    models.Index(
                        condition=models.Q(("late", True), ("status", "POSTED")),
                        fields=["account", "effective_at"],
                        name="transaction_late_by_effect",
                    ),
                    models.Index(
                        condition=models.Q(("late", True), ("status", "POSTED")),
                        fields=["account", "seq"],
                        include=("effective_at", "change"),
                        name="transaction_late_by_seq",
                    ),
                    models.Index(fields=["recorded_at", "id"], name="transaction_by_recording"),
                    models.Index(
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=["reference"],
                        name="transaction_by_reference",
                    ),
                    models.Index(
                        condition=models.Q(("transfer__isnull", False)),
                        fields=["transfer"],
                        name="transaction_by_transfer",
                    ),
                    models.Index(
                        condition=models.Q(("reverses__isnull", False), ("status", "POSTED")),
                        fields=["reverses"],
                        name="transaction_by_reversal",
                    ),
                    models.Index(
                        condition=models.Q(("hold__isnull", False)),
                        fields=["hold"],
                        name="transaction_by_hold",
                    ),
                    models.Index(
                        condition=models.Q(("claim__isnull", False)),
                        fields=["claim"],
                        name="transaction_by_claim",
                    ),
                    models.Index(
                        condition=models.Q(("batch__isnull", False)),
                        fields=["batch"],
                        name="transaction_by_batch",
                    ),
                    models.Index(
                        condition=models.Q(("status", "DECLINED")),
                        fields=["account", "recorded_at"],
                        name="transaction_declined",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["DEPOSIT", "WITHDRAW"])),
                        name="transaction_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("amount__lte", Decimal("1000000000000"))),
                        name="transaction_amount_is_positive_and_bounded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_asked__isnull", True),
                            models.Q(
                                ("amount_asked__gt", 0), ("amount_asked__lte", Decimal("1000000000000"))
                            ),
                            _connector="OR",
                        ),
                        name="transaction_amount_asked_is_positive_and_bounded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decline_details__isnull", True),
                                ("decline_reason__isnull", True),
                                ("status", "POSTED"),
                                ("version__gte", 1),
                                ("version__isnull", False),
                            ),
                            models.Q(
                                ("decline_details__isnull", False),
                                ("decline_reason__isnull", False),
                                ("status", "DECLINED"),
                                ("version__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="transaction_is_posted_with_version_or_declined_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("balance_after__gte", Decimal("-1000000000000000")),
                            ("balance_after__lte", Decimal("1000000000000000")),
                        ),
                        name="transaction_balance_after_is_bounded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seq__gte", 1)), name="transaction_seq_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            accounts.models.columns.IsFinite(models.F("recorded_at")),
                            accounts.models.columns.IsFinite(models.F("effective_at")),
                        ),
                        name="transaction_times_are_finite",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effective_at_asked__isnull", True),
                            accounts.models.columns.IsFinite(models.F("effective_at_asked")),
                            _connector="OR",
                        ),
                        name="transaction_effective_at_asked_is_finite",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effective_at__gte", datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("effective_at__lte", models.F("recorded_at")),
                        ),
                        name="transaction_is_not_effective_before_1970_or_in_the_future",
                    ),
                    models.CheckConstraint(
                        condition=accounts.models.columns.HasTexts(models.F("metadata")),
                        name="transaction_metadata_has_texts",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            django.db.models.functions.text.Length(models.F("chain_hash")), models.Value(32)
                        ),
                        name="transaction_has_a_whole_chain_hash",
                    ),
                    models.UniqueConstraint(
                        fields=("account", "recorded_at"), name="transaction_recorded_at_is_used_once"
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, WITHOUT_GUARDS),
    ]
