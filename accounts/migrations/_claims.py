"""What the database refuses of claims: what an account owes changes only together with them."""

GUARDS = """
CREATE TRIGGER claim_keeps_what_was_asked BEFORE UPDATE ON accounts_claim
    FOR EACH ROW WHEN (
        OLD.status <> 'OPEN' OR NEW.status = 'DECLINED' OR NEW.collected < OLD.collected
        OR (NEW.collected = OLD.collected) <> (NEW.collections = OLD.collections)
        OR NEW.collections < OLD.collections OR NEW.event_sequence <= OLD.event_sequence
        OR (OLD.id, OLD.account_id, OLD.amount, OLD.amount_asked, OLD.reason, OLD.reference, OLD.destination, OLD.reverses,
            OLD.created_at, OLD.actor, OLD.request_id, OLD.batch)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.amount, NEW.amount_asked, NEW.reason, NEW.reference, NEW.destination,
            NEW.reverses, NEW.created_at, NEW.actor, NEW.request_id, NEW.batch)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER claim_is_never_deleted BEFORE DELETE ON accounts_claim
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER claims_are_never_emptied BEFORE TRUNCATE ON accounts_claim
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_require_claims_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.accounts_claim WHERE account_id = NEW.id AND status = 'OPEN'
        HAVING coalesce(sum(amount - collected), 0) <> NEW.owed;
    IF FOUND THEN
        RAISE EXCEPTION 'what account % owes is not what its claims have left', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_account_of_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT account_id FROM new_claims) AS written
    WHERE (SELECT owed FROM public.accounts_account WHERE id = written.account_id) IS DISTINCT FROM (
        SELECT coalesce(sum(amount - collected), 0) FROM public.accounts_claim
        WHERE account_id = written.account_id AND status = 'OPEN'
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a claim was written without its account' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM 1 FROM new_claims AS written
    WHERE (
        SELECT starts_with(type, 'claim.') AND data ->> 'id' = written.id::text
            AND data ->> 'status' = written.status AND data ->> 'reference' = written.reference
            AND data ->> 'reason' = written.reason
            AND data ->> 'waived_reason' IS NOT DISTINCT FROM written.waived_reason
            AND (data ->> 'destination')::uuid IS NOT DISTINCT FROM written.destination
            AND (data ->> 'reverses')::uuid IS NOT DISTINCT FROM written.reverses
            AND (data ->> 'amount')::numeric = written.amount
            AND (data ->> 'collected')::numeric = written.collected
            AND (data ->> 'closed_at')::timestamptz IS NOT DISTINCT FROM written.closed_at
        FROM public.events_event WHERE stream = written.account_id AND sequence = written.event_sequence
    ) IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a claim was written without the event that tells it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER owed_has_its_claims AFTER UPDATE OF owed ON accounts_account
    FOR EACH ROW WHEN (OLD.owed IS DISTINCT FROM NEW.owed)
    EXECUTE FUNCTION ledger_require_claims_of_account();
CREATE TRIGGER new_claims_have_their_account AFTER INSERT ON accounts_claim
    REFERENCING NEW TABLE AS new_claims
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_claims();
CREATE TRIGGER changed_claims_have_their_account AFTER UPDATE ON accounts_claim
    REFERENCING NEW TABLE AS new_claims
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_claims();

ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER claim_keeps_what_was_asked;
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER claim_is_never_deleted;
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER claims_are_never_emptied;
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER new_claims_have_their_account;
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER changed_claims_have_their_account;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER owed_has_its_claims;
"""
WITHOUT_GUARDS = """
DROP TRIGGER changed_claims_have_their_account ON accounts_claim;
DROP TRIGGER new_claims_have_their_account ON accounts_claim;
DROP TRIGGER owed_has_its_claims ON accounts_account;
DROP TRIGGER claims_are_never_emptied ON accounts_claim;
DROP TRIGGER claim_is_never_deleted ON accounts_claim;
DROP TRIGGER claim_keeps_what_was_asked ON accounts_claim;
DROP FUNCTION ledger_require_account_of_claims();
DROP FUNCTION ledger_require_claims_of_account();
"""
