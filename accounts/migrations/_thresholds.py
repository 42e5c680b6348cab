"""What the database refuses of thresholds: that an account crosses one, and nothing tells of it.

The trigger `account_tells_of_every_crossing` holds an account's figures between its `nearest` thresholds. So
what crosses one has to change `nearest`, which changes only with the thresholds, and they only with the events
that tell on which side the account is. (A constraint would be parsed for every posting, a trigger's function is
called for accounts with thresholds alone.)
"""

# Of `accounts_threshold`, what `nearest` of an account has to be.
_NEAREST = """SELECT CASE WHEN count(*) > 0 THEN ARRAY[
            max(amount) FILTER (WHERE "of" = 'balance' AND NOT below),
            min(amount) FILTER (WHERE "of" = 'balance' AND below),
            max(amount) FILTER (WHERE "of" = 'available' AND NOT below),
            min(amount) FILTER (WHERE "of" = 'available' AND below)
        ] END FROM public.accounts_threshold WHERE account_id = {}"""
GUARDS = f"""
CREATE TRIGGER threshold_keeps_what_was_asked BEFORE UPDATE ON accounts_threshold
    FOR EACH ROW WHEN (
        NEW.event_sequence <= OLD.event_sequence
        OR (OLD.id, OLD.account_id, OLD.of, OLD.amount, OLD.created_at, OLD.actor, OLD.request_id)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.of, NEW.amount, NEW.created_at, NEW.actor,
            NEW.request_id)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER thresholds_are_never_emptied BEFORE TRUNCATE ON accounts_threshold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_require_no_untold_crossing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (  -- where there is none, it is null, and bounds nothing
        NEW.nearest[1] <= NEW.balance AND NEW.balance < NEW.nearest[2]
        AND NEW.nearest[3] <= NEW.balance - NEW.held + NEW.credit_limit
        AND NEW.balance - NEW.held + NEW.credit_limit < NEW.nearest[4]
    ) IS FALSE THEN
        RAISE EXCEPTION 'account % crosses a threshold untold', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_thresholds_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.nearest IS DISTINCT FROM (
        {_NEAREST.format("NEW.id")}
    ) THEN
        RAISE EXCEPTION 'what is nearest to account % is not what its thresholds say', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_account_of_thresholds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT account_id FROM changed) AS written
    WHERE (SELECT nearest FROM public.accounts_account WHERE id = written.account_id) IS DISTINCT FROM (
        {_NEAREST.format("written.account_id")}
    ) OR 20 < (SELECT count(*) FROM public.accounts_threshold WHERE account_id = written.account_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a threshold was written without its account' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        -- The event that tells it is among the last ones.
        PERFORM 1 FROM changed AS gone
        WHERE (
            SELECT sequence FROM public.events_event
            WHERE stream = gone.account_id AND about IS NULL AND sequence > gone.event_sequence
                AND type = 'threshold.removed' AND data ->> 'id' = gone.id::text
            ORDER BY sequence DESC LIMIT 1
        ) IS NULL
        LIMIT 1;
    ELSE
        PERFORM 1 FROM changed AS written
        WHERE (
            SELECT type IN ('threshold.set', 'balance.fell_below', 'balance.rose_above')
                AND coalesce(data ->> 'threshold', data ->> 'id') = written.id::text
                AND data ->> 'of' = written.of AND (data ->> 'amount')::numeric = written.amount
                AND (data ->> 'below')::boolean = written.below AND recorded_at = written.since
            FROM public.events_event WHERE stream = written.account_id AND sequence = written.event_sequence
        ) IS NOT TRUE
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'a threshold was written without the event that tells it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER account_tells_of_every_crossing AFTER UPDATE ON accounts_account
    FOR EACH ROW WHEN (NEW.nearest IS NOT NULL) EXECUTE FUNCTION ledger_require_no_untold_crossing();
-- Of a posting on an account without thresholds the first is not even asked: its statement does not set this.
CREATE TRIGGER nearest_has_its_thresholds AFTER UPDATE OF nearest ON accounts_account
    FOR EACH ROW WHEN (OLD.nearest IS DISTINCT FROM NEW.nearest)
    EXECUTE FUNCTION ledger_require_thresholds_of_account();
CREATE TRIGGER new_thresholds_have_their_account AFTER INSERT ON accounts_threshold
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_thresholds();
CREATE TRIGGER changed_thresholds_have_their_account AFTER UPDATE ON accounts_threshold
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_thresholds();
CREATE TRIGGER removed_thresholds_have_their_account AFTER DELETE ON accounts_threshold
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_thresholds();
ALTER TABLE accounts_threshold ENABLE ALWAYS TRIGGER threshold_keeps_what_was_asked;
ALTER TABLE accounts_threshold ENABLE ALWAYS TRIGGER thresholds_are_never_emptied;
ALTER TABLE accounts_threshold ENABLE ALWAYS TRIGGER new_thresholds_have_their_account;
ALTER TABLE accounts_threshold ENABLE ALWAYS TRIGGER changed_thresholds_have_their_account;
ALTER TABLE accounts_threshold ENABLE ALWAYS TRIGGER removed_thresholds_have_their_account;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_tells_of_every_crossing;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER nearest_has_its_thresholds;
"""  # noqa: S608, of constants
WITHOUT_GUARDS = """
DROP TRIGGER removed_thresholds_have_their_account ON accounts_threshold;
DROP TRIGGER changed_thresholds_have_their_account ON accounts_threshold;
DROP TRIGGER new_thresholds_have_their_account ON accounts_threshold;
DROP TRIGGER nearest_has_its_thresholds ON accounts_account;
DROP TRIGGER account_tells_of_every_crossing ON accounts_account;
DROP TRIGGER thresholds_are_never_emptied ON accounts_threshold;
DROP TRIGGER threshold_keeps_what_was_asked ON accounts_threshold;
DROP FUNCTION ledger_require_account_of_thresholds();
DROP FUNCTION ledger_require_thresholds_of_account();
DROP FUNCTION ledger_require_no_untold_crossing();
"""
