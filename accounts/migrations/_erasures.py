"""What the database refuses of erasures, and of the personal text that they take away."""

GUARDS = """
-- What was asked of an erasure stays, but for a reason that was erased with a person; it is decided once, and
-- the hash of an external id goes when its time is over.
CREATE FUNCTION ledger_decide_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.user_id, NEW.maker_id, NEW.asked_at)
            IS DISTINCT FROM (OLD.id, OLD.user_id, OLD.maker_id, OLD.asked_at)
        OR NEW.reason <> OLD.reason AND (NEW.reason <> '[erased]' OR NEW.status <> 'DONE' AND NOT EXISTS (
            SELECT FROM public.accounts_erasure WHERE status = 'DONE' AND decided_at = now()
        ))
        OR NEW.status = 'DONE' AND OLD.status = 'WAITING' AND NEW.decided_at <> now()
        OR OLD.status <> 'WAITING' AND (
            (NEW.checker_id, NEW.status, NEW.decided_at)
                IS DISTINCT FROM (OLD.checker_id, OLD.status, OLD.decided_at)
            OR (NEW.external_id_hash, NEW.hash_until) IS DISTINCT FROM (OLD.external_id_hash, OLD.hash_until)
                AND (NEW.external_id_hash IS NOT NULL OR OLD.hash_until > clock_timestamp())
        )
    THEN
        RAISE EXCEPTION 'erasure % is decided once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_starts_waiting BEFORE INSERT ON accounts_erasure
    FOR EACH ROW WHEN (NEW.status <> 'WAITING') EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER erasure_is_decided_once BEFORE UPDATE ON accounts_erasure
    FOR EACH ROW EXECUTE FUNCTION ledger_decide_erasure();
CREATE TRIGGER erasure_is_never_deleted BEFORE DELETE ON accounts_erasure
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER erasures_are_never_emptied BEFORE TRUNCATE ON accounts_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE accounts_erasure ENABLE ALWAYS TRIGGER erasure_starts_waiting;
ALTER TABLE accounts_erasure ENABLE ALWAYS TRIGGER erasure_is_decided_once;
ALTER TABLE accounts_erasure ENABLE ALWAYS TRIGGER erasure_is_never_deleted;
ALTER TABLE accounts_erasure ENABLE ALWAYS TRIGGER erasures_are_never_emptied;

-- Personal text is erased in the transaction in which a second person decides it.
CREATE FUNCTION ledger_require_erasure_of_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.accounts_erasure WHERE status = 'DONE' AND decided_at = now()) THEN
        RAISE EXCEPTION 'personal text is erased only when a person is: %', TG_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER texts_are_erased_with_a_person AFTER UPDATE ON events_text
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_erasure_of_texts();
ALTER TABLE events_text ENABLE ALWAYS TRIGGER texts_are_erased_with_a_person;
"""
WITHOUT_GUARDS = """
DROP TRIGGER texts_are_erased_with_a_person ON events_text;
DROP TRIGGER erasures_are_never_emptied ON accounts_erasure;
DROP TRIGGER erasure_is_never_deleted ON accounts_erasure;
DROP TRIGGER erasure_is_decided_once ON accounts_erasure;
DROP TRIGGER erasure_starts_waiting ON accounts_erasure;
DROP FUNCTION ledger_require_erasure_of_texts();
DROP FUNCTION ledger_decide_erasure();
"""
