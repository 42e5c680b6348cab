"""What the database refuses of the feed: gaps, places given twice, and letting go what is young or awaited.

The tables are named with their schema: a temporary table of the same name would be found first. They are asked
row by row, by sub-selects of one value: the plan of a guard is kept as long as the session, and one that was made
while the tables were empty must still be right when they are large.
"""

from django.db import migrations

CREATE = """
-- An event goes when it is old enough and pruned, never otherwise.
CREATE FUNCTION ledger_refuse_unless_pruned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.recorded_at < clock_timestamp() - interval '30 days' AND EXISTS (
        SELECT FROM public.events_placement, public.events_feed_state
        WHERE event_id = OLD.id AND position <= pruned_through
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER event_is_never_changed ON events_event;
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
        WHERE (SELECT position FROM public.events_placement WHERE event_id = gone.event_id) IS NULL
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
        WHERE id = 1 AND many > 0 AND (
            high <> last_position OR many <> high - low + 1
            OR low > 1 AND low - 1 > pruned_through
                AND (SELECT position FROM public.events_placement WHERE position = low - 1) IS NULL
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
    IF OLD.position <= (SELECT pruned_through FROM public.events_feed_state) THEN
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
            AND NOT EXISTS (SELECT FROM public.events_placement WHERE position = NEW.last_position)
        OR NEW.pruned_through > OLD.pruned_through AND (
            EXISTS (
                SELECT FROM public.events_subscription WHERE status <> 'DISABLED' AND position < NEW.pruned_through
            ) OR EXISTS (
                SELECT FROM public.events_placement JOIN public.events_event ON id = event_id
                WHERE position > OLD.pruned_through AND position <= NEW.pruned_through
                    AND recorded_at >= clock_timestamp() - interval '30 days'
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
"""

DROP = """
DROP TRIGGER feed_state_is_never_emptied ON events_feed_state;
DROP TRIGGER feed_state_is_never_deleted ON events_feed_state;
DROP TRIGGER feed_goes_forward ON events_feed_state;
DROP FUNCTION ledger_require_forward();
DROP TRIGGER places_are_never_emptied ON events_placement;
DROP TRIGGER place_is_kept_until_pruned ON events_placement;
DROP TRIGGER place_is_never_changed ON events_placement;
DROP FUNCTION ledger_refuse_unless_pruned_place();
DROP TRIGGER places_have_no_gaps ON events_placement;
DROP FUNCTION ledger_require_no_gaps();
DROP TRIGGER pending_events_are_never_emptied ON events_pending;
DROP TRIGGER pending_event_is_never_changed ON events_pending;
DROP TRIGGER pending_event_gets_its_place ON events_pending;
DROP FUNCTION ledger_require_places();
DROP TRIGGER event_is_kept_until_pruned ON events_event;
DROP TRIGGER event_is_never_changed ON events_event;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
ALTER TABLE events_event ENABLE ALWAYS TRIGGER event_is_never_changed;
DROP FUNCTION ledger_refuse_unless_pruned();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0003_feed")]
    operations = [migrations.RunSQL(CREATE, DROP)]
