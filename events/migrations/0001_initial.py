"""Events, the feed, its subscriptions, and what the database itself refuses of them.

The guards are ALWAYS: `session_replication_role` does not switch them off. Tables are named in them with their
schema: a temporary table of the same name would be found first. They ask row by row, by sub-selects of one
value: the plan of a guard is kept as long as the session, and one that was made while the tables were empty must
still be right when they are large.
"""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

# Django's admin takes no key of two columns; the table begins with the part.
KEYS = """
ALTER TABLE events_placement DROP CONSTRAINT events_placement_pkey, ADD PRIMARY KEY (part, position);
"""
GUARDS = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_event ENABLE ALWAYS TRIGGER events_are_never_emptied;
-- An event goes when it is old enough and pruned, and a row tells the same for ever; no other one ever goes.
CREATE FUNCTION ledger_refuse_unless_pruned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.about IS NOT NULL AND OLD.recorded_at < clock_timestamp() - interval '30 days' AND (
        SELECT position FROM public.events_placement WHERE stream = OLD.stream AND sequence = OLD.sequence
    ) <= (SELECT pruned_through FROM public.events_feed_state WHERE part = 0) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON events_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER event_is_kept_until_pruned BEFORE DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unless_pruned();
ALTER TABLE events_event ENABLE ALWAYS TRIGGER event_is_never_changed;
ALTER TABLE events_event ENABLE ALWAYS TRIGGER event_is_kept_until_pruned;

-- An event stops waiting by getting its place, in the same statement.
CREATE FUNCTION ledger_require_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone
        WHERE (
            SELECT position FROM public.events_placement
            WHERE stream = gone.stream AND sequence = gone.sequence
        ) IS NULL
    ) THEN
        RAISE EXCEPTION 'a pending event goes when it has its place: %', TG_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pending_event_gets_its_place AFTER DELETE ON events_pending
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_places();
CREATE TRIGGER pending_event_is_never_changed BEFORE UPDATE ON events_pending
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER pending_events_are_never_emptied BEFORE TRUNCATE ON events_pending
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_pending ENABLE ALWAYS TRIGGER pending_event_gets_its_place;
ALTER TABLE events_pending ENABLE ALWAYS TRIGGER pending_event_is_never_changed;
ALTER TABLE events_pending ENABLE ALWAYS TRIGGER pending_events_are_never_emptied;

-- Places are given without gaps, and the state says how far.
CREATE FUNCTION ledger_require_no_gaps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT min(position) AS low, max(position) AS high, count(*) AS many FROM placed) AS batch,
            public.events_feed_state
        WHERE part = 0 AND many > 0 AND (
            high <> last_position OR many <> high - low + 1
            OR low > 1 AND low - 1 > pruned_through
                AND (SELECT position FROM public.events_placement WHERE part = 0 AND position = low - 1) IS NULL
        )
    ) THEN
        RAISE EXCEPTION 'places are given without gaps: %', TG_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER places_have_no_gaps AFTER INSERT ON events_placement
    REFERENCING NEW TABLE AS placed FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_no_gaps();
CREATE FUNCTION ledger_refuse_unless_pruned_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.position <= (SELECT pruned_through FROM public.events_feed_state WHERE part = 0) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER place_is_never_changed BEFORE UPDATE ON events_placement
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER place_is_kept_until_pruned BEFORE DELETE ON events_placement
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unless_pruned_place();
CREATE TRIGGER places_are_never_emptied BEFORE TRUNCATE ON events_placement
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_placement ENABLE ALWAYS TRIGGER places_have_no_gaps;
ALTER TABLE events_placement ENABLE ALWAYS TRIGGER place_is_never_changed;
ALTER TABLE events_placement ENABLE ALWAYS TRIGGER place_is_kept_until_pruned;
ALTER TABLE events_placement ENABLE ALWAYS TRIGGER places_are_never_emptied;

-- The feed goes forward only; nothing young, and nothing that a live subscription waits for, is let go.
CREATE FUNCTION ledger_require_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_position < OLD.last_position OR NEW.pruned_through < OLD.pruned_through
        OR NEW.last_position > OLD.last_position
            AND NOT EXISTS (
                SELECT FROM public.events_placement WHERE part = NEW.part AND position = NEW.last_position
            )
        OR NEW.pruned_through > OLD.pruned_through AND (
            EXISTS (
                SELECT FROM public.events_subscription WHERE status <> 'DISABLED' AND position < NEW.pruned_through
            ) OR EXISTS (
                SELECT FROM public.events_placement AS place WHERE part = NEW.part
                    AND position > OLD.pruned_through AND position <= NEW.pruned_through AND (
                        SELECT recorded_at FROM public.events_event AS event
                        WHERE event.stream = place.stream AND event.sequence = place.sequence
                    ) >= clock_timestamp() - interval '30 days'
            )
        )
    THEN
        RAISE EXCEPTION 'the feed goes forward, and keeps what is young or awaited: %', TG_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER feed_goes_forward AFTER UPDATE ON events_feed_state
    FOR EACH ROW EXECUTE FUNCTION ledger_require_forward();
CREATE TRIGGER feed_state_is_never_deleted BEFORE DELETE ON events_feed_state
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER feed_state_is_never_emptied BEFORE TRUNCATE ON events_feed_state
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_feed_state ENABLE ALWAYS TRIGGER feed_goes_forward;
ALTER TABLE events_feed_state ENABLE ALWAYS TRIGGER feed_state_is_never_deleted;
ALTER TABLE events_feed_state ENABLE ALWAYS TRIGGER feed_state_is_never_emptied;

-- The record is added to; an entry and the head of its stream change together, one after the other.
CREATE FUNCTION ledger_require_head_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added WHERE (
            SELECT number = added.number AND recorded_at = added.recorded_at AND chain_hash = added.chain_hash
            FROM public.events_recordhead WHERE stream = added.stream
        ) IS NOT TRUE OR added.number > 1 AND (
            SELECT recorded_at <= added.recorded_at
            FROM public.events_recordentry WHERE stream = added.stream AND number = added.number - 1
        ) IS NOT TRUE
    ) THEN
        RAISE EXCEPTION 'an entry is the last of its stream, and follows on the one before it: %', TG_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_is_the_head_of_its_stream AFTER INSERT ON events_recordentry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_head_of_entry();
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OR DELETE ON events_recordentry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER entries_are_never_emptied BEFORE TRUNCATE ON events_recordentry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_recordentry ENABLE ALWAYS TRIGGER entry_is_the_head_of_its_stream;
ALTER TABLE events_recordentry ENABLE ALWAYS TRIGGER entry_is_never_changed;
ALTER TABLE events_recordentry ENABLE ALWAYS TRIGGER entries_are_never_emptied;

CREATE FUNCTION ledger_require_entry_of_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.number <> 0 OR NEW.chain_hash <> '' THEN
            RAISE EXCEPTION 'a stream of the record begins with nothing: %', TG_NAME
                USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF NEW.stream <> OLD.stream OR NEW.number NOT IN (OLD.number, OLD.number + 1)
        OR NEW.number = OLD.number AND (
            NEW.recorded_at IS DISTINCT FROM OLD.recorded_at OR NEW.chain_hash <> OLD.chain_hash
        )
        OR NEW.number > OLD.number AND (
            SELECT recorded_at = NEW.recorded_at AND chain_hash = NEW.chain_hash
            FROM public.events_recordentry WHERE stream = NEW.stream AND number = NEW.number
        ) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'the head of a stream moves by one, with its entry: %', TG_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER record_head_moves_with_its_entry AFTER INSERT OR UPDATE ON events_recordhead
    FOR EACH ROW EXECUTE FUNCTION ledger_require_entry_of_head();
CREATE TRIGGER record_head_is_never_deleted BEFORE DELETE ON events_recordhead
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER record_heads_are_never_emptied BEFORE TRUNCATE ON events_recordhead
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_recordhead ENABLE ALWAYS TRIGGER record_head_moves_with_its_entry;
ALTER TABLE events_recordhead ENABLE ALWAYS TRIGGER record_head_is_never_deleted;
ALTER TABLE events_recordhead ENABLE ALWAYS TRIGGER record_heads_are_never_emptied;

-- Personal text is written once, and can only be erased.
CREATE TRIGGER text_is_only_erased BEFORE UPDATE ON events_text
    FOR EACH ROW WHEN (
        NEW.content IS NOT NULL OR (OLD.id, OLD.owner) IS DISTINCT FROM (NEW.id, NEW.owner)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER text_is_never_deleted BEFORE DELETE ON events_text
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER texts_are_never_emptied BEFORE TRUNCATE ON events_text
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_text ENABLE ALWAYS TRIGGER text_is_only_erased;
ALTER TABLE events_text ENABLE ALWAYS TRIGGER text_is_never_deleted;
ALTER TABLE events_text ENABLE ALWAYS TRIGGER texts_are_never_emptied;
"""
WITHOUT_GUARDS = """
DROP TRIGGER texts_are_never_emptied ON events_text;
DROP TRIGGER text_is_never_deleted ON events_text;
DROP TRIGGER text_is_only_erased ON events_text;
DROP TRIGGER record_heads_are_never_emptied ON events_recordhead;
DROP TRIGGER record_head_is_never_deleted ON events_recordhead;
DROP TRIGGER record_head_moves_with_its_entry ON events_recordhead;
DROP TRIGGER entries_are_never_emptied ON events_recordentry;
DROP TRIGGER entry_is_never_changed ON events_recordentry;
DROP TRIGGER entry_is_the_head_of_its_stream ON events_recordentry;
DROP TRIGGER feed_state_is_never_emptied ON events_feed_state;
DROP TRIGGER feed_state_is_never_deleted ON events_feed_state;
DROP TRIGGER feed_goes_forward ON events_feed_state;
DROP TRIGGER places_are_never_emptied ON events_placement;
DROP TRIGGER place_is_kept_until_pruned ON events_placement;
DROP TRIGGER place_is_never_changed ON events_placement;
DROP TRIGGER places_have_no_gaps ON events_placement;
DROP TRIGGER pending_events_are_never_emptied ON events_pending;
DROP TRIGGER pending_event_is_never_changed ON events_pending;
DROP TRIGGER pending_event_gets_its_place ON events_pending;
DROP TRIGGER event_is_kept_until_pruned ON events_event;
DROP TRIGGER event_is_never_changed ON events_event;
DROP TRIGGER events_are_never_emptied ON events_event;
DROP FUNCTION ledger_require_entry_of_head();
DROP FUNCTION ledger_require_head_of_entry();
DROP FUNCTION ledger_require_forward();
DROP FUNCTION ledger_refuse_unless_pruned_place();
DROP FUNCTION ledger_require_no_gaps();
DROP FUNCTION ledger_require_places();
DROP FUNCTION ledger_refuse_unless_pruned();
DROP FUNCTION ledger_refuse();
"""
# The first epoch of the feed: the history of this cluster and database.
CLUSTER = """
    (SELECT system_identifier FROM pg_control_system()),
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint
"""
BEGIN = f"""
INSERT INTO events_feed_state (
    part, epoch, last_position, pruned_through, system_identifier, timeline_id, database_id, table_id
)
SELECT 0, gen_random_uuid(), 0, 0, {CLUSTER if settings.FEED_EPOCH_OF == "cluster" else "0, 0"},
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
    'events_feed_state'::regclass::bigint;
"""  # noqa: S608, no value is in the text


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="PendingEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "recorded_at",
                        "stream",
                        "sequence",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("stream", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
            ],
            options={
                "db_table": "events_pending",
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "stream", "sequence", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stream", models.UUIDField(verbose_name="stream")),
                ("sequence", models.BigIntegerField(verbose_name="sequence")),
                ("type", models.CharField(max_length=40, verbose_name="type")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                (
                    "about",
                    models.BigIntegerField(
                        help_text="The number of the account's transaction", null=True, verbose_name="about"
                    ),
                ),
                (
                    "actor",
                    models.UUIDField(
                        help_text="Of the ledger: the command that caused it", null=True, verbose_name="actor"
                    ),
                ),
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
                        null=True,
                        verbose_name="kind of actor",
                    ),
                ),
                ("request_id", models.CharField(max_length=64, null=True, verbose_name="request id")),
                ("data", models.JSONField(null=True, verbose_name="data")),
                ("before", models.JSONField(null=True, verbose_name="before")),
                ("text", models.UUIDField(null=True, verbose_name="personal text")),
                ("text_mac", models.BinaryField(null=True)),
                ("mac", models.BinaryField(null=True)),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [
                    models.Index(
                        condition=models.Q(("about", None)),
                        fields=["stream", "sequence"],
                        name="event_that_tells",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gte", 1)), name="event_sequence_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("about__isnull", True),
                                ("actor_kind__isnull", False),
                                ("data__isnull", False),
                                ("mac__isnull", False),
                                ("request_id__isnull", False),
                            ),
                            models.Q(
                                ("about__isnull", False),
                                ("actor__isnull", True),
                                ("actor_kind__isnull", True),
                                ("before__isnull", True),
                                ("data__isnull", True),
                                ("mac__isnull", True),
                                ("request_id__isnull", True),
                                ("text__isnull", True),
                                ("type__startswith", "transaction."),
                            ),
                            _connector="OR",
                        ),
                        name="event_has_data_or_is_about_a_transaction",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("text__isnull", True), ("text_mac__isnull", True)),
                            models.Q(("text__isnull", False), ("text_mac__isnull", False)),
                            _connector="OR",
                        ),
                        name="event_seals_its_text",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeedState",
            fields=[
                ("part", models.SmallIntegerField(default=0, primary_key=True, serialize=False)),
                ("epoch", models.UUIDField()),
                ("last_position", models.BigIntegerField(default=0)),
                ("pruned_through", models.BigIntegerField(default=0)),
                ("system_identifier", models.BigIntegerField()),
                ("timeline_id", models.BigIntegerField()),
                ("database_id", models.BigIntegerField()),
                ("table_id", models.BigIntegerField()),
                ("relay_seen_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "events_feed_state",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("part", 0)), name="feed_has_one_part"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pruned_through__gte", 0), ("pruned_through__lte", models.F("last_position"))
                        ),
                        name="feed_state_is_pruned_up_to_its_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("stream", models.UUIDField(verbose_name="stream")),
                ("number", models.BigIntegerField(verbose_name="number")),
                ("recorded_at", models.DateTimeField(verbose_name="when")),
                ("actor", models.UUIDField(null=True, verbose_name="who")),
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
                ("request_id", models.CharField(blank=True, max_length=64, verbose_name="request id")),
                ("type", models.CharField(max_length=60, verbose_name="type")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("VIEW", "looked at"),
                            ("SEARCH", "searched"),
                            ("EXPORT", "exported"),
                            ("CHANGE", "changed"),
                            ("LOGIN", "login"),
                        ],
                        max_length=8,
                        verbose_name="action",
                    ),
                ),
                ("subject", models.CharField(max_length=40, verbose_name="of what")),
                ("subject_id", models.CharField(blank=True, max_length=64, verbose_name="which")),
                ("data", models.JSONField(verbose_name="data")),
                ("text", models.UUIDField(null=True, verbose_name="text")),
                ("text_mac", models.BinaryField(null=True)),
                ("chain_hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "entry of the record",
                "verbose_name_plural": "access log",
                "default_permissions": ("view",),
                "permissions": [("view_changes", "Can see what staff changed, without what they looked at")],
                "indexes": [
                    models.Index(fields=["actor", "id"], name="entry_of_an_actor"),
                    models.Index(fields=["subject_id", "id"], name="entry_about_a_subject"),
                    models.Index(
                        fields=["id"], condition=models.Q(("action", "CHANGE")), name="change_by_time"
                    ),
                    models.Index(
                        fields=["actor", "id"],
                        condition=models.Q(("action", "CHANGE")),
                        name="change_by_an_actor",
                    ),
                    models.Index(
                        fields=["subject_id", "id"],
                        condition=models.Q(("action", "CHANGE")),
                        name="change_of_a_subject",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("stream", "number"), name="entry_number_is_used_once"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="entry_number_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("actor__isnull", True),
                                ("stream", uuid.UUID("00000000-0000-0000-0000-000000000000")),
                            ),
                            models.Q(("actor__isnull", False), ("stream", models.F("actor"))),
                            _connector="OR",
                        ),
                        name="entry_is_in_the_stream_of_its_actor",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["VIEW", "SEARCH", "EXPORT", "CHANGE", "LOGIN"])),
                        name="entry_action_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("text__isnull", True), ("text_mac__isnull", True)),
                            models.Q(("text__isnull", False), ("text_mac__isnull", False)),
                            _connector="OR",
                        ),
                        name="entry_has_the_mac_of_its_text",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordHead",
            fields=[
                ("stream", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                ("recorded_at", models.DateTimeField(null=True)),
                ("chain_hash", models.BinaryField(default=b"")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number", 0), ("recorded_at__isnull", True)),
                            models.Q(("number__gte", 1), ("recorded_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="record_head_is_empty_or_of_an_entry",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("webhook", "Webhook"), ("broker", "Broker")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("url", models.CharField(max_length=2048, null=True, verbose_name="url")),
                (
                    "types",
                    models.JSONField(default=list, help_text="Of events; empty: all", verbose_name="types"),
                ),
                (
                    "account",
                    models.UUIDField(
                        db_column="account_id",
                        help_text="Whose events alone are sent",
                        null=True,
                        verbose_name="account",
                    ),
                ),
                (
                    "user",
                    models.UUIDField(
                        db_column="user_id",
                        help_text="Whose events, and their accounts', are sent",
                        null=True,
                        verbose_name="user",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("ACTIVE", "active"), ("PAUSED", "paused"), ("DISABLED", "disabled")],
                        default="ACTIVE",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("epoch", models.UUIDField(verbose_name="epoch")),
                ("position", models.BigIntegerField(verbose_name="position")),
                (
                    "attempts",
                    models.IntegerField(
                        default=0,
                        help_text="That failed, of the event after the cursor",
                        verbose_name="attempts",
                    ),
                ),
                ("next_attempt_at", models.DateTimeField(null=True, verbose_name="next attempt at")),
                (
                    "lease",
                    models.UUIDField(
                        help_text="The relay that sends at this moment", null=True, verbose_name="lease"
                    ),
                ),
                ("leased_until", models.DateTimeField(null=True, verbose_name="leased until")),
                ("sent", models.BigIntegerField(default=0, verbose_name="sent")),
                ("failed", models.BigIntegerField(default=0, verbose_name="failed")),
                (
                    "unroutable",
                    models.BigIntegerField(
                        default=0, help_text="That the broker had no queue for", verbose_name="unroutable"
                    ),
                ),
                ("last_sent_at", models.DateTimeField(null=True, verbose_name="last sent at")),
                ("last_error", models.CharField(max_length=500, null=True, verbose_name="last error")),
                ("last_error_at", models.DateTimeField(null=True, verbose_name="last error at")),
                (
                    "failing_since",
                    models.DateTimeField(
                        help_text="The first failure of those that no success came after",
                        null=True,
                        verbose_name="failing since",
                    ),
                ),
                ("secret_generation", models.IntegerField(default=1, verbose_name="secret generation")),
                ("secret_rotated_at", models.DateTimeField(null=True, verbose_name="secret rotated at")),
                ("actor", models.UUIDField(help_text="Who made it", verbose_name="actor")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "subscription",
                "verbose_name_plural": "subscriptions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "webhook"), ("url__isnull", False)),
                            models.Q(("kind", "broker"), ("url__isnull", True)),
                            _connector="OR",
                        ),
                        name="subscription_of_a_webhook_has_its_url",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account", None), ("user", None), _connector="OR"),
                        name="subscription_is_of_an_account_or_of_a_user",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["ACTIVE", "PAUSED", "DISABLED"])),
                        name="subscription_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("position__gte", 0)), name="subscription_position_is_not_negative"
                    ),
                    models.UniqueConstraint(fields=("url",), name="subscription_url_is_used_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "broker")),
                        fields=("kind",),
                        name="subscription_of_the_broker_is_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "position",
                    models.BigIntegerField(
                        help_text="Of the event, in the feed; null: a test, which is none",
                        null=True,
                        verbose_name="position",
                    ),
                ),
                ("began_at", models.DateTimeField(verbose_name="when")),
                ("milliseconds", models.BigIntegerField(verbose_name="milliseconds")),
                (
                    "status_code",
                    models.IntegerField(
                        help_text="Of HTTP; null of the broker, and where none came",
                        null=True,
                        verbose_name="answer",
                    ),
                ),
                (
                    "error",
                    models.CharField(
                        help_text="Null: taken", max_length=500, null=True, verbose_name="error"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="events.subscription",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subscription", "-id"], name="attempt_of_a_subscription"),
                    models.Index(fields=["position", "subscription"], name="attempt_with_an_event"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Text",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("owner", models.UUIDField(help_text="The user whom it is about, if it is known", null=True)),
                ("content", models.JSONField(help_text="The parts by their places; null: erased", null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["owner"], name="text_of_an_owner")],
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                (
                    "position",
                    models.BigIntegerField(primary_key=True, serialize=False, verbose_name="position"),
                ),
                ("part", models.SmallIntegerField(default=0)),
                ("stream", models.UUIDField(verbose_name="stream")),
                ("sequence", models.BigIntegerField(verbose_name="sequence")),
                (
                    "event",
                    models.ForeignObject(
                        from_fields=["stream", "sequence"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="placements",
                        to="events.event",
                        to_fields=["stream", "sequence"],
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "constraints": [
                    models.UniqueConstraint(fields=("stream", "sequence"), name="event_has_one_position"),
                    models.CheckConstraint(
                        condition=models.Q(("part", 0), ("position__gte", 1)),
                        name="placement_position_is_positive",
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, WITHOUT_GUARDS),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
    ]
