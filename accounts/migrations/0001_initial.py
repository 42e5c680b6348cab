"""Users, accounts, holds and tokens, and what the database itself refuses of them.

What an account holds changes only together with its holds, and they only with their account: these guards look
at the end of the statement that made the change.
"""

from decimal import Decimal

import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.lookups
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import accounts.models.columns
import accounts.models.tokens
from accounts.migrations import _claims, _erasures, _holds, _notes, _thresholds, _who_is_who

# Django knows `id` as the key, and the admin takes no key of two columns; the table begins with the account.
KEYS = """
ALTER TABLE accounts_hold
    DROP CONSTRAINT accounts_hold_pkey,
    ADD PRIMARY KEY (account_id, id),
    ADD CONSTRAINT hold_id_is_used_once UNIQUE (id);
ALTER TABLE accounts_claim
    DROP CONSTRAINT accounts_claim_pkey,
    ADD PRIMARY KEY (account_id, id),
    ADD CONSTRAINT claim_id_is_used_once UNIQUE (id);
ALTER TABLE accounts_threshold
    DROP CONSTRAINT accounts_threshold_pkey,
    ADD PRIMARY KEY (account_id, id),
    ADD CONSTRAINT threshold_id_is_used_once UNIQUE (id);
"""
GUARDS = """
CREATE TRIGGER account_starts_at_zero BEFORE INSERT ON accounts_account
    FOR EACH ROW WHEN (
        NEW.balance <> 0 OR NEW.held <> 0 OR NEW.credit_limit <> 0 OR NEW.credit_limit_max <> 0
        OR NEW.seq <> 0 OR NEW.version <> 0 OR NEW.chain_head <> ''
        OR NEW.owed <> 0 OR NEW.nearest IS NOT NULL
        OR NEW.last_recorded_at <> NEW.created_at OR NEW.last_effective_at IS NOT NULL
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER account_keeps_its_identity BEFORE UPDATE OF id, user_id, currency, created_at ON accounts_account
    FOR EACH ROW WHEN (
        (OLD.id, OLD.user_id, OLD.currency, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.currency, NEW.created_at)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER account_is_never_deleted BEFORE DELETE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER accounts_are_never_emptied BEFORE TRUNCATE ON accounts_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
-- What no two accounts of a user can have in two forms. No posting asks: its statement does not set the name.
CREATE TRIGGER account_name_is_normalized BEFORE INSERT OR UPDATE OF name ON accounts_account
    FOR EACH ROW WHEN (
        NEW.name IS NOT NFC NORMALIZED OR NEW.name ~
        '^[\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]|[\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]$|[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2060-\\u2065\\u206a-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]'
    ) EXECUTE FUNCTION ledger_refuse();
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_name_is_normalized;
-- What an account is changes with the event that tells it, in one statement; when its last event was, too.
-- And what follows from its transactions changes with them.
CREATE FUNCTION ledger_require_events_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.last_recorded_at >= OLD.last_recorded_at
        AND (NEW.seq > OLD.seq OR NEW.last_recorded_at = (
            SELECT recorded_at FROM public.events_event WHERE stream = NEW.id AND sequence = NEW.event_sequence
        ))
        AND (NEW.seq > OLD.seq
            OR (OLD.withdrawn, OLD.withdrawn_on, OLD.last_effective_at, OLD.chain_head) IS NOT DISTINCT FROM
            (NEW.withdrawn, NEW.withdrawn_on, NEW.last_effective_at, NEW.chain_head))
        AND (OLD.status = NEW.status AND OLD.status_reason = NEW.status_reason OR EXISTS (
            SELECT FROM public.events_event
            WHERE stream = NEW.id AND sequence > OLD.event_sequence AND sequence <= NEW.event_sequence
                AND (type IN ('account.frozen', 'account.unfrozen', 'account.closed')
                    -- the reason is erased with the person who has the account
                    OR type = 'account.changed' AND OLD.status = NEW.status AND NEW.status_reason = '[erased]')
                AND data ->> 'status' = NEW.status
                AND coalesce(data ->> 'status_reason', (
                    SELECT content ->> 'data/status_reason' FROM public.events_text WHERE id = text
                )) = NEW.status_reason
        ))
        AND ((OLD.credit_limit, OLD.credit_limit_max, OLD.withdraw_max, OLD.withdraw_day_max)
            IS NOT DISTINCT FROM
            (NEW.credit_limit, NEW.credit_limit_max, NEW.withdraw_max, NEW.withdraw_day_max) OR EXISTS (
            SELECT FROM public.events_event
            WHERE stream = NEW.id AND sequence > OLD.event_sequence AND sequence <= NEW.event_sequence
                AND type = 'account.limits_changed'
                AND NEW.credit_limit_max = greatest(OLD.credit_limit_max, (
                    SELECT max((data ->> 'credit_limit')::numeric) FROM public.events_event  -- of all of them
                    WHERE stream = NEW.id AND sequence > OLD.event_sequence AND sequence <= NEW.event_sequence
                        AND type = 'account.limits_changed'
                ))
                AND (data ->> 'credit_limit')::numeric = NEW.credit_limit
                AND (data ->> 'withdraw_max')::numeric IS NOT DISTINCT FROM NEW.withdraw_max
                AND (data ->> 'withdraw_day_max')::numeric IS NOT DISTINCT FROM NEW.withdraw_day_max
        ))
        AND ((OLD.name, OLD.metadata) = (NEW.name, NEW.metadata) OR EXISTS (
            SELECT FROM public.events_event
            WHERE stream = NEW.id AND sequence > OLD.event_sequence AND sequence <= NEW.event_sequence
                AND type = 'account.changed'
                AND coalesce(data ->> 'name', (
                    SELECT content ->> 'data/name' FROM public.events_text WHERE id = text
                )) = NEW.name
                AND coalesce(nullif(data -> 'metadata', 'null'), (
                    SELECT content -> 'data/metadata' FROM public.events_text WHERE id = text
                )) = NEW.metadata
        ))) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'what account % is changes only with the event that tells it', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
-- Of a posting the first is not even asked: its statement sets none of these columns.
CREATE TRIGGER rules_have_their_events AFTER UPDATE OF name, status, status_reason, credit_limit, credit_limit_max,
    withdraw_max, withdraw_day_max, metadata ON accounts_account
    FOR EACH ROW WHEN (
        (OLD.name, OLD.status, OLD.status_reason, OLD.credit_limit, OLD.credit_limit_max, OLD.withdraw_max,
            OLD.withdraw_day_max, OLD.metadata)
        IS DISTINCT FROM (NEW.name, NEW.status, NEW.status_reason, NEW.credit_limit, NEW.credit_limit_max,
            NEW.withdraw_max, NEW.withdraw_day_max, NEW.metadata)
    ) EXECUTE FUNCTION ledger_require_events_of_account();
CREATE TRIGGER times_have_their_events AFTER UPDATE ON accounts_account
    FOR EACH ROW WHEN (
        NEW.last_recorded_at < OLD.last_recorded_at OR OLD.seq = NEW.seq AND (
            OLD.event_sequence, OLD.last_recorded_at, OLD.withdrawn, OLD.withdrawn_on, OLD.last_effective_at,
            OLD.chain_head
        ) IS DISTINCT FROM (
            NEW.event_sequence, NEW.last_recorded_at, NEW.withdrawn, NEW.withdrawn_on, NEW.last_effective_at,
            NEW.chain_head
        )
    ) EXECUTE FUNCTION ledger_require_events_of_account();
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER rules_have_their_events;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER times_have_their_events;

-- So does who a user is, but for what only staff have. Somebody who was erased, as two people have decided,
-- is nobody any more, and stays so.
CREATE FUNCTION ledger_require_event_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.event_sequence = OLD.event_sequence + 1 AND NEW.last_recorded_at >= OLD.last_recorded_at AND (
        OLD.erased_at IS NULL AND NEW.erased_at IS NULL OR OLD.erased_at IS NULL
            AND (NEW.erased_at, NEW.name, NEW.metadata) = (NEW.last_recorded_at, '[erased]', '{}')
            AND EXISTS (SELECT FROM public.accounts_erasure WHERE user_id = NEW.id AND status = 'DONE')
    ) AND (
        SELECT type = CASE WHEN NEW.erased_at IS NULL THEN 'user.changed' ELSE 'user.erased' END
            AND recorded_at = NEW.last_recorded_at
            AND coalesce(data ->> 'name', (
                SELECT content ->> 'data/name' FROM public.events_text WHERE id = text
            )) = NEW.name
            AND coalesce(nullif(data -> 'metadata', 'null'), (
                SELECT content -> 'data/metadata' FROM public.events_text WHERE id = text
            )) = NEW.metadata
        FROM public.events_event WHERE stream = NEW.id AND sequence = NEW.event_sequence
    )) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'who user % is changes only with the event that tells it', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER user_has_its_events AFTER UPDATE ON accounts_user
    FOR EACH ROW WHEN (
        (OLD.name, OLD.metadata, OLD.event_sequence, OLD.last_recorded_at, OLD.erased_at)
        IS DISTINCT FROM (NEW.name, NEW.metadata, NEW.event_sequence, NEW.last_recorded_at, NEW.erased_at)
    ) EXECUTE FUNCTION ledger_require_event_of_user();
CREATE TRIGGER user_keeps_its_identity BEFORE UPDATE ON accounts_user
    FOR EACH ROW WHEN (
        (OLD.id, OLD.username, OLD.created_at) IS DISTINCT FROM (NEW.id, NEW.username, NEW.created_at)
        OR (OLD.external_id, OLD.created_as) IS DISTINCT FROM (NEW.external_id, NEW.created_as) AND NOT (
            OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
            AND NEW.external_id IS NULL AND NEW.created_as IS NULL
        )
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER user_is_never_deleted BEFORE DELETE ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER users_are_never_emptied BEFORE TRUNCATE ON accounts_user
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER user_has_its_events;
ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER user_keeps_its_identity;
ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER user_is_never_deleted;
ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER users_are_never_emptied;

-- And an event is written with the account, or the user, that counts it.
CREATE FUNCTION ledger_require_stream_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM new_events AS written
    WHERE (sequence = coalesce(
        (SELECT event_sequence FROM public.accounts_account WHERE id = written.stream),
        (SELECT event_sequence FROM public.accounts_user WHERE id = written.stream)
    ) OR (  -- it is the last one, or there is a next one
        SELECT sequence FROM public.events_event AS next
        WHERE next.stream = written.stream AND next.sequence = written.sequence + 1
    ) IS NOT NULL) IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an event was written without the account or the user that counts it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER events_have_their_stream AFTER INSERT ON events_event
    REFERENCING NEW TABLE AS new_events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_stream_of_events();
ALTER TABLE events_event ENABLE ALWAYS TRIGGER events_have_their_stream;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_starts_at_zero;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_keeps_its_identity;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_is_never_deleted;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER accounts_are_never_emptied;
"""
GUARDS += _holds.GUARDS + _who_is_who.GUARDS + _erasures.GUARDS + _claims.GUARDS + _thresholds.GUARDS
GUARDS += _notes.GUARDS
WITHOUT_GUARDS = """
DROP TRIGGER events_have_their_stream ON events_event;
DROP TRIGGER users_are_never_emptied ON accounts_user;
DROP TRIGGER user_is_never_deleted ON accounts_user;
DROP TRIGGER user_keeps_its_identity ON accounts_user;
DROP TRIGGER user_has_its_events ON accounts_user;
DROP TRIGGER times_have_their_events ON accounts_account;
DROP TRIGGER rules_have_their_events ON accounts_account;
DROP TRIGGER accounts_are_never_emptied ON accounts_account;
DROP TRIGGER account_is_never_deleted ON accounts_account;
DROP TRIGGER account_keeps_its_identity ON accounts_account;
DROP TRIGGER account_starts_at_zero ON accounts_account;
DROP TRIGGER account_name_is_normalized ON accounts_account;
DROP FUNCTION ledger_require_stream_of_events();
DROP FUNCTION ledger_require_event_of_user();
DROP FUNCTION ledger_require_events_of_account();
"""
WITHOUT_GUARDS = (
    _notes.WITHOUT_GUARDS
    + _claims.WITHOUT_GUARDS
    + _holds.WITHOUT_GUARDS
    + WITHOUT_GUARDS
    + _who_is_who.WITHOUT_GUARDS
    + _erasures.WITHOUT_GUARDS
    + _thresholds.WITHOUT_GUARDS
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("events", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=150, verbose_name="name")),
                (
                    "external_id",
                    models.CharField(
                        blank=True,
                        help_text="The client's own handle",
                        max_length=150,
                        null=True,
                        unique=True,
                        verbose_name="external id",
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict, verbose_name="metadata")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "created_as",
                    models.JSONField(
                        editable=False,
                        help_text="What the API was asked for; a repeated request is compared with it",
                        null=True,
                        verbose_name="created as",
                    ),
                ),
                (
                    "event_sequence",
                    models.BigIntegerField(
                        default=0,
                        editable=False,
                        help_text="Events of no account so far",
                        verbose_name="event sequence",
                    ),
                ),
                (
                    "last_recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="When the last one was",
                        verbose_name="last recorded at",
                    ),
                ),
                (
                    "is_holder",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.lookups.Exact(
                            models.F("username"),
                            django.db.models.functions.comparison.Cast("id", models.CharField()),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        db_default="UTC",
                        default="UTC",
                        help_text="Of the pages of the back office",
                        max_length=64,
                        verbose_name="time zone",
                    ),
                ),
                (
                    "erased_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="By `erasing`",
                        null=True,
                        verbose_name="erased at",
                    ),
                ),
                (
                    "must_change_password",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="Somebody else has made it",
                        verbose_name="must change the password",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Staff",
            fields=[],
            options={
                "verbose_name": "member of staff",
                "verbose_name_plural": "staff",
                "proxy": True,
                "default_permissions": ("view", "add", "change"),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.user",),
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="The human-readable name of this device.", max_length=64),
                ),
                (
                    "confirmed",
                    models.BooleanField(default=True, help_text="Is this device ready for use?"),
                ),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts."),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="The most recent date and time this device was used.",
                        null=True,
                    ),
                ),
                ("secret", models.CharField(max_length=200)),
                (
                    "drift",
                    models.SmallIntegerField(default=0, help_text="Half minutes that its clock is off by"),
                ),
                (
                    "last_t",
                    models.BigIntegerField(default=-1, help_text="The half minute of the last code"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(default="main", max_length=150, verbose_name="name")),
                ("currency", models.CharField(max_length=12, verbose_name="currency")),
                (
                    "status",
                    models.CharField(
                        choices=[("ACTIVE", "active"), ("FROZEN", "frozen"), ("CLOSED", "closed")],
                        default="ACTIVE",
                        max_length=6,
                        verbose_name="status",
                    ),
                ),
                (
                    "balance",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, default=0, max_digits=28, verbose_name="balance"
                    ),
                ),
                (
                    "held",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, default=0, max_digits=28, verbose_name="held"
                    ),
                ),
                (
                    "credit_limit",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, default=0, max_digits=28, verbose_name="credit limit"
                    ),
                ),
                (
                    "credit_limit_max",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        default=0,
                        help_text="The highest the credit limit ever was",
                        max_digits=28,
                        verbose_name="credit limit max",
                    ),
                ),
                (
                    "status_reason",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="status reason"
                    ),
                ),
                (
                    "owed",
                    accounts.models.columns.MoneyField(
                        db_default=0,
                        decimal_places=8,
                        default=0,
                        help_text="What its open claims have left",
                        max_digits=28,
                        verbose_name="owed",
                    ),
                ),
                (
                    "nearest",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=accounts.models.columns.MoneyField(
                            decimal_places=8, max_digits=28, null=True
                        ),
                        help_text="The thresholds next to the balance, below and above, and next to what is available",
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "withdraw_max",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        help_text="The most that one withdrawal may take",
                        max_digits=28,
                        null=True,
                        verbose_name="withdraw max",
                    ),
                ),
                (
                    "withdraw_day_max",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        help_text="The most that a UTC day's withdrawals may take",
                        max_digits=28,
                        null=True,
                        verbose_name="withdraw day max",
                    ),
                ),
                (
                    "withdrawn_on",
                    models.DateField(
                        help_text="The UTC day of the last withdrawal", null=True, verbose_name="withdrawn on"
                    ),
                ),
                (
                    "withdrawn",
                    accounts.models.columns.MoneyField(
                        db_default=0,
                        decimal_places=8,
                        default=0,
                        help_text="What that day's withdrawals took",
                        max_digits=28,
                        verbose_name="withdrawn",
                    ),
                ),
                (
                    "seq",
                    models.BigIntegerField(
                        default=0, help_text="Transactions so far, declined ones too", verbose_name="number"
                    ),
                ),
                (
                    "version",
                    models.BigIntegerField(
                        default=0, help_text="Posted transactions so far", verbose_name="version"
                    ),
                ),
                (
                    "event_sequence",
                    models.BigIntegerField(
                        default=0, help_text="Events so far", verbose_name="event sequence"
                    ),
                ),
                (
                    "last_recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When its last event was; it never falls",
                        verbose_name="last recorded at",
                    ),
                ),
                ("last_effective_at", models.DateTimeField(null=True, verbose_name="last effective at")),
                (
                    "chain_head",
                    models.BinaryField(
                        default=b"",
                        help_text="The hash of the account's last transaction",
                        verbose_name="chain head",
                    ),
                ),
                ("metadata", models.JSONField(default=dict, verbose_name="metadata")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created at"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
                "permissions": [
                    ("freeze_account", "Can freeze and unfreeze accounts"),
                    ("close_account", "Can close accounts"),
                    ("limit_account", "Can set the limits of accounts"),
                    ("manage_thresholds", "Can set and remove thresholds of accounts"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
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
                    "amount",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, max_digits=28, verbose_name="amount"
                    ),
                ),
                (
                    "amount_asked",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        help_text="As it was placed; the amount may be changed",
                        max_digits=28,
                        verbose_name="amount asked",
                    ),
                ),
                (
                    "captured",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, default=0, max_digits=28, verbose_name="captured"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "open"),
                            ("CAPTURED", "captured"),
                            ("RELEASED", "released"),
                            ("EXPIRED", "expired"),
                            ("DECLINED", "declined"),
                        ],
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("decline_reason", models.CharField(max_length=40, null=True, verbose_name="decline reason")),
                ("decline_details", models.JSONField(null=True, verbose_name="decline details")),
                (
                    "expires_at",
                    models.DateTimeField(help_text="Null: never", null=True, verbose_name="expires at"),
                ),
                ("expires_at_asked", models.DateTimeField(null=True, verbose_name="expires at asked")),
                ("reference", models.CharField(max_length=200, verbose_name="reference")),
                ("metadata", models.JSONField(verbose_name="metadata")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed at")),
                ("actor", models.UUIDField(verbose_name="actor")),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                ("batch", models.UUIDField(null=True, verbose_name="batch")),
                (
                    "event_sequence",
                    models.BigIntegerField(
                        help_text="The number of the account's event that told of it last",
                        verbose_name="event sequence",
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
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "permissions": [("release_hold", "Can release holds in the back office")],
            },
        ),
        migrations.CreateModel(
            name="Claim",
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
                    "amount",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, max_digits=28, verbose_name="amount"
                    ),
                ),
                (
                    "amount_asked",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        help_text="Null: all that was left of what it takes back",
                        max_digits=28,
                        null=True,
                        verbose_name="amount asked",
                    ),
                ),
                (
                    "collected",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, default=0, max_digits=28, verbose_name="collected"
                    ),
                ),
                (
                    "collections",
                    models.IntegerField(
                        default=0, help_text="How many there were", verbose_name="collections"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "open"),
                            ("COLLECTED", "collected"),
                            ("WAIVED", "waived"),
                            ("DECLINED", "declined"),
                        ],
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                ("decline_reason", models.CharField(max_length=40, null=True, verbose_name="decline reason")),
                ("decline_details", models.JSONField(null=True, verbose_name="decline details")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("reference", models.CharField(max_length=200, verbose_name="reference")),
                (
                    "destination",
                    models.UUIDField(
                        help_text="The account that is paid; null: the world outside",
                        null=True,
                        verbose_name="destination",
                    ),
                ),
                (
                    "reverses",
                    models.UUIDField(
                        help_text="The transaction or transfer that it takes back, as far as it goes",
                        null=True,
                        verbose_name="reverses",
                    ),
                ),
                (
                    "waived_reason",
                    models.CharField(max_length=500, null=True, verbose_name="reason of the waiver"),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed at")),
                ("actor", models.UUIDField(verbose_name="actor")),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                ("batch", models.UUIDField(null=True, verbose_name="batch")),
                (
                    "event_sequence",
                    models.BigIntegerField(
                        help_text="The number of the account's event that told of it last",
                        verbose_name="event sequence",
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
                "verbose_name": "claim",
                "verbose_name_plural": "claims",
                "permissions": [
                    ("claim_account", "Can open claims on accounts"),
                    ("waive_claim", "Can waive what is left of claims"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Threshold",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "of",
                    models.CharField(
                        choices=[("available", "available"), ("balance", "balance")],
                        max_length=9,
                        verbose_name="of",
                    ),
                ),
                (
                    "amount",
                    accounts.models.columns.MoneyField(
                        decimal_places=8, max_digits=28, verbose_name="amount"
                    ),
                ),
                (
                    "below",
                    models.BooleanField(help_text="Whether it is less than the amount", verbose_name="below"),
                ),
                (
                    "since",
                    models.DateTimeField(
                        help_text="When it came to this side, or the threshold was set", verbose_name="since"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("actor", models.UUIDField(verbose_name="actor")),
                ("request_id", models.CharField(max_length=64, verbose_name="request id")),
                (
                    "event_sequence",
                    models.BigIntegerField(
                        help_text="The number of the account's event that told of it last",
                        verbose_name="event sequence",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="thresholds",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "threshold",
                "verbose_name_plural": "thresholds",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("WAITING", "waiting for approval"),
                            ("DONE", "carried out"),
                            ("REJECTED", "rejected"),
                        ],
                        default="WAITING",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="requested at"
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                ("external_id_hash", models.BinaryField(null=True, verbose_name="hash of the external id")),
                ("hash_until", models.DateTimeField(null=True, verbose_name="hash is kept until")),
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
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account holder",
                    ),
                ),
            ],
            options={
                "verbose_name": "erasure",
                "verbose_name_plural": "erasures",
                "permissions": [
                    ("erase_user", "Can ask to forget people, and approve what others have asked for")
                ],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["asked_at", "id"], name="erasure_by_asking"),
                    models.Index(
                        condition=models.Q(("status", "WAITING")),
                        fields=["asked_at", "id"],
                        name="erasure_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("external_id_hash__isnull", False)),
                        fields=["external_id_hash"],
                        name="erasure_of_an_external_id",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="erasure_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("checker__isnull", True), ("decided_at__isnull", True), ("status", "WAITING")
                            ),
                            models.Q(
                                ("checker__isnull", False),
                                ("decided_at__isnull", False),
                                ("status__in", ["DONE", "REJECTED"]),
                            ),
                            _connector="OR",
                        ),
                        name="erasure_is_waiting_or_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "DONE"), _negated=True),
                            models.Q(("checker", models.F("maker")), _negated=True),
                            _connector="OR",
                        ),
                        name="erasure_is_approved_by_somebody_else",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("external_id_hash__isnull", True), ("hash_until__isnull", True)),
                            models.Q(
                                ("external_id_hash__isnull", False),
                                ("hash_until__isnull", False),
                                ("status", "DONE"),
                            ),
                            _connector="OR",
                        ),
                        name="erasure_keeps_a_hash_for_a_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "REJECTED"), _negated=True),
                        fields=("user",),
                        name="erasure_of_a_user_is_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("digest", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("token_key", models.CharField(db_index=True, max_length=25)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="auth_token_set",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("permissions", models.JSONField(default=list, verbose_name="permissions")),
                (
                    "account_names",
                    models.JSONField(
                        help_text="Of the accounts that it may do something to; null: all",
                        null=True,
                        verbose_name="account names",
                    ),
                ),
                (
                    "types",
                    models.JSONField(
                        help_text="Of the transactions that it may post; null: all",
                        null=True,
                        verbose_name="types",
                    ),
                ),
                (
                    "amount_max",
                    accounts.models.columns.MoneyField(
                        decimal_places=8,
                        help_text="Of a transaction or a hold, in any currency",
                        max_digits=28,
                        null=True,
                        verbose_name="largest amount",
                    ),
                ),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="last used at")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked at")),
            ],
            options={
                "verbose_name": "token",
                "verbose_name_plural": "tokens",
                "permissions": [("view_metrics", "Can read the metrics")],
                "default_permissions": ("view", "add", "delete"),
            },
        ),
        migrations.AddIndex(
            model_name="token",
            index=models.Index(
                condition=models.Q(("revoked_at__isnull", True)), fields=["expiry"], name="token_by_its_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    accounts.models.columns.JSONType(models.F("permissions")), models.Value("array")
                ),
                name="token_permissions_are_a_list",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("account_names__isnull", True),
                    accounts.models.tokens.IsList(models.F("account_names")),
                    _connector="OR",
                ),
                name="token_account_names_are_a_list",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("types__isnull", True),
                    ("types__in", (["DEPOSIT"], ["WITHDRAW"], ["DEPOSIT", "WITHDRAW"])),
                    _connector="OR",
                ),
                name="token_types_are_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_max__isnull", True),
                    models.Q(("amount_max__gt", 0), ("amount_max__lte", Decimal("1000000000000"))),
                    _connector="OR",
                ),
                name="token_amount_max_is_bounded",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["created_at", "id"], name="user_by_creation"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["name", "id"], name="user_by_name"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                django.db.models.functions.comparison.Collate(accounts.models.columns.Folded("name"), "C"),
                models.F("id"),
                name="user_by_start_of_name",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_staff", True)), fields=["username"], name="user_of_staff"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=accounts.models.columns.HasTexts(models.F("metadata")),
                name="user_metadata_has_texts",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_holder", False),
                    models.Q(("is_staff", False), ("is_superuser", False)),
                    _connector="OR",
                ),
                name="user_who_is_a_holder_is_no_staff",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    accounts.models.columns.IsNormalized(models.F("external_id")),
                    models.Q(
                        (
                            "external_id__regex",
                            "^[\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]|[\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]$|[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2060-\\u2065\\u206a-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]",
                        ),
                        _negated=True,
                    ),
                ),
                name="external_id_is_normalized",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["created_at", "id"], name="account_by_creation"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["currency", "created_at", "id"], name="account_by_currency"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                condition=models.Q(("status", "ACTIVE"), _negated=True),
                fields=["status", "id"],
                name="account_not_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                fields=("user", "currency", "name"), name="account_is_unique_by_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["ACTIVE", "FROZEN", "CLOSED"])),
                name="account_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("balance__gte", Decimal("-1000000000000000")),
                    ("balance__lte", Decimal("1000000000000000")),
                ),
                name="account_balance_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("held__gte", 0), ("held__lte", Decimal("1000000000000000"))),
                name="account_held_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("owed__gte", 0), ("owed__lte", Decimal("1000000000000000"))),
                name="account_owed_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credit_limit__gte", 0), ("credit_limit__lte", models.F("credit_limit_max"))
                ),
                name="account_credit_limit_is_within_its_highest",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("credit_limit_max__lte", Decimal("1000000000000000"))),
                name="account_credit_limit_max_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdraw_max__isnull", True),
                    models.Q(("withdraw_max__gte", 0), ("withdraw_max__lte", Decimal("1000000000000000"))),
                    _connector="OR",
                ),
                name="account_withdraw_max_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdraw_day_max__isnull", True),
                    models.Q(
                        ("withdraw_day_max__gte", 0), ("withdraw_day_max__lte", Decimal("1000000000000000"))
                    ),
                    _connector="OR",
                ),
                name="account_withdraw_day_max_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn", 0), ("withdrawn_on__isnull", True)),
                    models.Q(
                        ("withdrawn__gte", 0),
                        ("withdrawn__lt", Decimal("100000000000000000000")),
                        ("withdrawn_on__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="account_withdrawn_is_of_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "balance__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("held"), "-", models.F("credit_limit")
                        ),
                    )
                ),
                name="account_balance_covers_holds",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "CLOSED"), _negated=True),
                    models.Q(("balance", 0), ("held", 0), ("owed", 0)),
                    _connector="OR",
                ),
                name="closed_account_is_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("event_sequence__gte", models.F("seq")),
                    ("seq__gte", models.F("version")),
                    ("version__gte", 0),
                ),
                name="account_has_an_event_for_every_transaction",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(accounts.models.columns.IsFinite(models.F("last_recorded_at"))),
                name="account_last_recorded_at_is_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("last_effective_at__isnull", True),
                    models.Q(
                        accounts.models.columns.IsFinite(models.F("last_effective_at")),
                        ("last_effective_at__lte", models.F("last_recorded_at")),
                    ),
                    _connector="OR",
                ),
                name="account_last_effective_at_is_not_in_the_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=accounts.models.columns.IsFinite(models.F("created_at")),
                name="account_created_at_is_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=accounts.models.columns.HasTexts(models.F("metadata")),
                name="account_metadata_has_texts",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["created_at", "id"], name="hold_by_creation"),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["account", "created_at"], name="hold_by_account"),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(condition=models.Q(("status", "OPEN")), fields=["account"], name="hold_open"),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "OPEN")),
                fields=["created_at", "id"],
                name="hold_open_by_creation",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("status", "OPEN")),
                fields=["expires_at"],
                name="hold_to_expire",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("batch__isnull", False)), fields=["batch"], name="hold_by_batch"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("amount__lte", Decimal("1000000000000"))),
                name="hold_amount_is_positive_and_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_asked__gt", 0), ("amount_asked__lte", Decimal("1000000000000"))),
                name="hold_amount_asked_is_positive_and_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("captured__gte", 0), ("captured__lte", models.F("amount"))),
                name="hold_captures_at_most_its_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("captured__lt", models.F("amount")), ("closed_at__isnull", True), ("status", "OPEN")
                    ),
                    models.Q(("captured__gt", 0), ("closed_at__isnull", False), ("status", "CAPTURED")),
                    models.Q(
                        ("captured__lt", models.F("amount")),
                        ("closed_at__isnull", False),
                        ("status", "RELEASED"),
                    ),
                    models.Q(
                        ("captured__lt", models.F("amount")),
                        ("closed_at__isnull", False),
                        ("expires_at__isnull", False),
                        ("status", "EXPIRED"),
                    ),
                    models.Q(("captured", 0), ("closed_at__isnull", False), ("status", "DECLINED")),
                    _connector="OR",
                ),
                name="hold_status_fits_what_was_captured",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decline_details__isnull", False),
                        ("decline_reason__isnull", False),
                        ("status", "DECLINED"),
                    ),
                    models.Q(
                        models.Q(("status", "DECLINED"), _negated=True),
                        ("decline_details__isnull", True),
                        ("decline_reason__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="hold_is_declined_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    accounts.models.columns.IsFinite(models.F("created_at")),
                    models.Q(
                        ("expires_at__isnull", True),
                        accounts.models.columns.IsFinite(models.F("expires_at")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("expires_at_asked__isnull", True),
                        accounts.models.columns.IsFinite(models.F("expires_at_asked")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("closed_at__isnull", True),
                        accounts.models.columns.IsFinite(models.F("closed_at")),
                        _connector="OR",
                    ),
                ),
                name="hold_times_are_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=accounts.models.columns.HasTexts(models.F("metadata")),
                name="hold_metadata_has_texts",
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["created_at", "id"], name="claim_by_creation"),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["account", "created_at"], name="claim_by_account"),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(("status", "OPEN")),
                fields=["account", "created_at", "id"],
                name="claim_open",
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(("reverses__isnull", False)),
                fields=["reverses"],
                name="claim_by_what_it_reverses",
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(("batch__isnull", False)), fields=["batch"], name="claim_by_batch"
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0),
                    ("amount__lte", Decimal("1000000000000")),
                    models.Q(
                        ("amount_asked", models.F("amount")),
                        models.Q(("amount_asked__isnull", True), ("reverses__isnull", False)),
                        _connector="OR",
                    ),
                ),
                name="claim_amount_is_positive_and_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("collected", 0), ("collections", 0)),
                    models.Q(
                        ("collected__gt", 0), ("collected__lte", models.F("amount")), ("collections__gt", 0)
                    ),
                    _connector="OR",
                ),
                name="claim_collects_at_most_its_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", True), ("collected__lt", models.F("amount")), ("status", "OPEN")
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("collected", models.F("amount")),
                        ("status", "COLLECTED"),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("collected__lt", models.F("amount")),
                        ("status", "WAIVED"),
                    ),
                    models.Q(("closed_at__isnull", False), ("collected", 0), ("status", "DECLINED")),
                    _connector="OR",
                ),
                name="claim_status_fits_what_was_collected",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decline_details__isnull", False),
                        ("decline_reason__isnull", False),
                        ("status", "DECLINED"),
                    ),
                    models.Q(
                        models.Q(("status", "DECLINED"), _negated=True),
                        ("decline_details__isnull", True),
                        ("decline_reason__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="claim_is_declined_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "WAIVED"), ("waived_reason__isnull", False)),
                    models.Q(models.Q(("status", "WAIVED"), _negated=True), ("waived_reason__isnull", True)),
                    _connector="OR",
                ),
                name="claim_is_waived_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("destination__isnull", True),
                    models.Q(("destination", models.F("account")), _negated=True),
                    _connector="OR",
                ),
                name="claim_is_not_paid_to_its_own_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    accounts.models.columns.IsFinite(models.F("created_at")),
                    models.Q(
                        ("closed_at__isnull", True),
                        accounts.models.columns.IsFinite(models.F("closed_at")),
                        _connector="OR",
                    ),
                ),
                name="claim_times_are_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="threshold",
            constraint=models.UniqueConstraint(
                fields=("account", "of", "amount"), name="threshold_stands_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="threshold",
            constraint=models.CheckConstraint(
                condition=models.Q(("of__in", ["available", "balance"])), name="threshold_of_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="threshold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gte", Decimal("-1000000000000000")),
                    ("amount__lte", Decimal("1000000000000000")),
                ),
                name="threshold_amount_is_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="threshold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    accounts.models.columns.IsFinite(models.F("since")),
                    accounts.models.columns.IsFinite(models.F("created_at")),
                    ("since__gte", models.F("created_at")),
                ),
                name="threshold_times_are_finite_and_in_order",
            ),
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "written_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="written at"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        choices=[("user", "user"), ("account", "account"), ("transaction", "transaction")],
                        max_length=11,
                        verbose_name="about what",
                    ),
                ),
                ("subject_id", models.UUIDField(verbose_name="about which")),
                ("text", models.UUIDField(verbose_name="text")),
                ("is_task", models.BooleanField(verbose_name="to be done")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done at")),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="written by",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="done by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "default_permissions": ("view", "add"),
                "indexes": [
                    models.Index(fields=["written_at", "id"], name="note_by_writing"),
                    models.Index(fields=["user", "written_at"], name="note_about_a_user"),
                    models.Index(fields=["author", "written_at"], name="note_of_an_author"),
                    models.Index(
                        condition=models.Q(("done_at__isnull", True), ("is_task", True)),
                        fields=["written_at", "id"],
                        name="note_to_be_done",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("subject__in", ["user", "account", "transaction"])),
                        name="note_subject_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("done_by__isnull", True)),
                            models.Q(
                                ("done_at__isnull", False), ("done_by__isnull", False), ("is_task", True)
                            ),
                            _connector="OR",
                        ),
                        name="note_is_done_by_somebody",
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, WITHOUT_GUARDS),
    ]
