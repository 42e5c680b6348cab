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

-- A claim that takes back is on the account that the money came to, in favour of the one that it came from; with
-- all others that take it back, and all reversals, it is never more than that was.
CREATE FUNCTION ledger_require_what_a_claim_may_take_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.transactions_transaction AS given
    LEFT JOIN public.transactions_transaction AS source
        ON source.id = given.transfer AND source.type = 'WITHDRAW'
    WHERE given.type = 'DEPOSIT'
        AND given.status = 'POSTED' AND given.reverses IS NULL AND given.claim IS NULL
        AND given.account_id = NEW.account_id AND source.account_id IS NOT DISTINCT FROM NEW.destination
        AND (source.amount = given.amount OR source.id IS NULL)
        AND public.ledger_sum_taken_back(given.id) <= given.amount
        AND (source.id IS NULL OR public.ledger_sum_taken_back(source.id) <= source.amount)
        AND (given.transfer = NEW.reverses OR given.id = NEW.reverses AND given.transfer IS NULL);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the claim % takes back what is not left of money that came to its account', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER claims_never_exceed_what_they_take_back AFTER INSERT ON accounts_claim
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL AND NEW.status <> 'DECLINED')
    EXECUTE FUNCTION ledger_require_what_a_claim_may_take_back();
ALTER TABLE accounts_claim ENABLE ALWAYS TRIGGER claims_never_exceed_what_they_take_back;
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
DROP TRIGGER claims_never_exceed_what_they_take_back ON accounts_claim;
DROP FUNCTION ledger_require_what_a_claim_may_take_back();
DROP FUNCTION ledger_require_collections_of_claim();
DROP FUNCTION ledger_require_claim_of_collection();
"""
