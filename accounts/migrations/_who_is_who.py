"""What the database refuses of tokens, staff and the owners of accounts: a part of the first migration."""

GUARDS = """
-- What a token is and may stays as it was issued: it is used, later and later, and at last it may be revoked.
CREATE TRIGGER token_keeps_what_it_may BEFORE UPDATE ON accounts_token
    FOR EACH ROW WHEN (
        (OLD.digest, OLD.token_key, OLD.user_id, OLD.created, OLD.expiry, OLD.permissions, OLD.account_names,
            OLD.types, OLD.amount_max)
        IS DISTINCT FROM (NEW.digest, NEW.token_key, NEW.user_id, NEW.created, NEW.expiry, NEW.permissions,
            NEW.account_names, NEW.types, NEW.amount_max)
        OR OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at
        OR OLD.last_used_at IS NOT NULL AND (NEW.last_used_at >= OLD.last_used_at) IS NOT TRUE
    ) EXECUTE FUNCTION ledger_refuse();
ALTER TABLE accounts_token ENABLE ALWAYS TRIGGER token_keeps_what_it_may;

-- Who may come into the office: only the owner of the table makes superusers, and nobody becomes staff, or is
-- staff no more, without the entry of the record that says so, written before in the same transaction and with
-- who did it; of an operator's command, which has no actor, for the owner alone.
CREATE FUNCTION ledger_require_entry_of_staff() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_owner boolean := pg_has_role(
        current_user, (SELECT relowner FROM pg_catalog.pg_class WHERE oid = TG_RELID), 'USAGE'
    );
BEGIN
    IF NEW.is_superuser <> coalesce(OLD.is_superuser, false) AND NOT is_owner THEN
        RAISE EXCEPTION 'only the owner of the database says who is a superuser'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM 1 FROM public.events_recordentry
    WHERE subject_id = NEW.id::text AND subject = 'staff' AND recorded_at >= transaction_timestamp()
        AND (data -> 'after' ->> 'is_staff')::boolean = NEW.is_staff
        AND coalesce((data -> 'after' ->> 'is_superuser')::boolean, false) = NEW.is_superuser
        AND (actor IS NOT NULL OR is_owner);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'who is staff changes only with the entry of the record that tells it: user %', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER new_staff_have_their_entry AFTER INSERT ON accounts_user
    FOR EACH ROW WHEN (NEW.is_staff OR NEW.is_superuser)
    EXECUTE FUNCTION ledger_require_entry_of_staff();
CREATE TRIGGER changed_staff_have_their_entry AFTER UPDATE ON accounts_user
    FOR EACH ROW WHEN ((OLD.is_staff, OLD.is_superuser) IS DISTINCT FROM (NEW.is_staff, NEW.is_superuser))
    EXECUTE FUNCTION ledger_require_entry_of_staff();
ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER new_staff_have_their_entry;
ALTER TABLE accounts_user ENABLE ALWAYS TRIGGER changed_staff_have_their_entry;

-- Only holders have accounts: what is staff's or a service's is not shown by the API.
CREATE FUNCTION ledger_require_holder_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.accounts_user WHERE id = NEW.user_id AND NOT is_holder;
    IF FOUND THEN
        RAISE EXCEPTION 'an account is of an account holder, which user % is not', NEW.user_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER account_has_its_holder AFTER INSERT ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION ledger_require_holder_of_account();
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_has_its_holder;
"""
WITHOUT_GUARDS = """
DROP TRIGGER token_keeps_what_it_may ON accounts_token;
DROP TRIGGER account_has_its_holder ON accounts_account;
DROP TRIGGER changed_staff_have_their_entry ON accounts_user;
DROP TRIGGER new_staff_have_their_entry ON accounts_user;
DROP FUNCTION ledger_require_holder_of_account();
DROP FUNCTION ledger_require_entry_of_staff();
"""
