"""What the database refuses of collections: what a claim has collected changes only together with the rows
that took it."""

GUARDS = """
CREATE FUNCTION ledger_require_claim_of_collection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (
        SELECT NEW.status = 'POSTED' AND NEW.reverses IS NULL AND NEW.hold IS NULL
            AND (NEW.transfer IS NULL) = (claim.destination IS NULL)
            AND NEW.account_id = CASE NEW.type WHEN 'WITHDRAW' THEN claim.account_id ELSE claim.destination END
            AND (NEW.transfer IS NULL OR EXISTS (
                SELECT FROM public.transactions_transaction AS leg WHERE leg.claim = NEW.claim
                    AND leg.transfer = NEW.transfer AND leg.type <> NEW.type AND leg.amount = NEW.amount
            ))
            AND (claim.collected, claim.collections) = (
                SELECT coalesce(sum(taken.amount), 0), count(*) FROM public.transactions_transaction AS taken
                WHERE taken.claim = NEW.claim AND taken.type = 'WITHDRAW'
            )
        FROM public.accounts_claim AS claim WHERE claim.id = NEW.claim
    ) IS NOT TRUE THEN
        RAISE EXCEPTION 'a collection was written without its claim' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_collections_of_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ((NEW.collected, NEW.collections) = (
        SELECT coalesce(sum(amount), 0), count(*) FROM public.transactions_transaction
        WHERE claim = NEW.id AND type = 'WITHDRAW'
    )) IS NOT TRUE THEN
        RAISE EXCEPTION 'what claim % has collected is not what was taken for it', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER collections_have_their_claim AFTER INSERT ON transactions_transaction
    FOR EACH ROW WHEN (NEW.claim IS NOT NULL) EXECUTE FUNCTION ledger_require_claim_of_collection();
CREATE TRIGGER new_claims_have_their_collections AFTER INSERT ON accounts_claim
    FOR EACH ROW WHEN (NEW.collected <> 0) EXECUTE FUNCTION ledger_require_collections_of_claim();
CREATE TRIGGER changed_claims_have_their_collections AFTER UPDATE ON accounts_claim
    FOR EACH ROW WHEN (NEW.collected <> OLD.collected)
    EXECUTE FUNCTION ledger_require_collections_of_claim();
ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER collections_have_their_claim;
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER new_claims_have_their_collections;
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER changed_claims_have_their_collections;
"""
WITHOUT_GUARDS = """
DROP TRIGGER changed_claims_have_their_collections ON accounts_claim;
DROP TRIGGER new_claims_have_their_collections ON accounts_claim;
DROP TRIGGER collections_have_their_claim ON transactions_transaction;
DROP FUNCTION ledger_require_collections_of_claim();
DROP FUNCTION ledger_require_claim_of_collection();
"""
