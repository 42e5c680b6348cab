"""What the database refuses of holds: what an account holds is what its holds have left."""

GUARDS = """
-- A list may place a hold and capture or release it in one statement; a hold that is due is not placed.
CREATE TRIGGER hold_never_starts_expired BEFORE INSERT ON accounts_hold
    FOR EACH ROW WHEN (NEW.status = 'EXPIRED') EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER hold_keeps_what_was_asked BEFORE UPDATE ON accounts_hold
    FOR EACH ROW WHEN (
        OLD.status <> 'OPEN' OR NEW.status = 'DECLINED' OR NEW.captured < OLD.captured
        OR NEW.event_sequence <= OLD.event_sequence
        OR (OLD.id, OLD.account_id, OLD.amount_asked, OLD.expires_at_asked, OLD.reference, OLD.metadata,
            OLD.created_at, OLD.actor, OLD.request_id, OLD.batch)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.amount_asked, NEW.expires_at_asked, NEW.reference,
            NEW.metadata, NEW.created_at, NEW.actor, NEW.request_id, NEW.batch)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER hold_is_never_deleted BEFORE DELETE ON accounts_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER holds_are_never_emptied BEFORE TRUNCATE ON accounts_hold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_require_holds_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.accounts_hold WHERE account_id = NEW.id AND status = 'OPEN'
        HAVING coalesce(sum(amount - captured), 0) <> NEW.held;
    IF FOUND THEN
        RAISE EXCEPTION 'what account % holds is not what its holds have left', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_account_of_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT account_id FROM new_holds) AS written
    WHERE (SELECT held FROM public.accounts_account WHERE id = written.account_id) IS DISTINCT FROM (
        SELECT coalesce(sum(amount - captured), 0) FROM public.accounts_hold
        WHERE account_id = written.account_id AND status = 'OPEN'
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a hold was written without its account' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM 1 FROM new_holds AS written
    WHERE (
        SELECT starts_with(type, 'hold.') AND data ->> 'id' = written.id::text
            AND data ->> 'status' = written.status AND data ->> 'reference' = written.reference
            AND (data ->> 'amount')::numeric = written.amount
            AND (data ->> 'captured')::numeric = written.captured
            AND (data ->> 'expires_at')::timestamptz IS NOT DISTINCT FROM written.expires_at
            AND (data ->> 'closed_at')::timestamptz IS NOT DISTINCT FROM written.closed_at
        FROM public.events_event WHERE stream = written.account_id AND sequence = written.event_sequence
    ) IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a hold was written without the event that tells it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER held_has_its_holds AFTER UPDATE ON accounts_account
    FOR EACH ROW WHEN (OLD.held IS DISTINCT FROM NEW.held)
    EXECUTE FUNCTION ledger_require_holds_of_account();
CREATE TRIGGER new_holds_have_their_account AFTER INSERT ON accounts_hold
    REFERENCING NEW TABLE AS new_holds
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_holds();
CREATE TRIGGER changed_holds_have_their_account AFTER UPDATE ON accounts_hold
    REFERENCING NEW TABLE AS new_holds
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_holds();

ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER hold_never_starts_expired;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER hold_keeps_what_was_asked;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER hold_is_never_deleted;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER holds_are_never_emptied;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER new_holds_have_their_account;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER changed_holds_have_their_account;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER held_has_its_holds;
"""
WITHOUT_GUARDS = """
DROP TRIGGER changed_holds_have_their_account ON accounts_hold;
DROP TRIGGER new_holds_have_their_account ON accounts_hold;
DROP TRIGGER held_has_its_holds ON accounts_account;
DROP TRIGGER holds_are_never_emptied ON accounts_hold;
DROP TRIGGER hold_is_never_deleted ON accounts_hold;
DROP TRIGGER hold_keeps_what_was_asked ON accounts_hold;
DROP TRIGGER hold_never_starts_expired ON accounts_hold;
DROP FUNCTION ledger_require_account_of_holds();
DROP FUNCTION ledger_require_holds_of_account();
"""
