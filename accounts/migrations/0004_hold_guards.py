"""What an account holds changes only together with its holds, and they only with their account.

The guards look at the end of the statement that made the change. A hold keeps what was asked, a closed one
everything; what is captured never shrinks.
"""

from django.db import migrations

CREATE = """
CREATE TRIGGER hold_starts_open_or_declined BEFORE INSERT ON accounts_hold
    FOR EACH ROW WHEN (NEW.captured <> 0 OR NEW.status NOT IN ('OPEN', 'DECLINED'))
    EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER hold_keeps_what_was_asked BEFORE UPDATE ON accounts_hold
    FOR EACH ROW WHEN (
        OLD.status <> 'OPEN' OR NEW.status = 'DECLINED' OR NEW.captured < OLD.captured
        OR (OLD.id, OLD.account_id, OLD.amount, OLD.expires_at, OLD.reference, OLD.metadata, OLD.created_at,
            OLD.actor, OLD.request_id)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.amount, NEW.expires_at, NEW.reference, NEW.metadata,
            NEW.created_at, NEW.actor, NEW.request_id)
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

ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER hold_starts_open_or_declined;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER hold_keeps_what_was_asked;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER hold_is_never_deleted;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER holds_are_never_emptied;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER new_holds_have_their_account;
ALTER TABLE accounts_hold ENABLE ALWAYS TRIGGER changed_holds_have_their_account;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER held_has_its_holds;
"""

DROP = """
DROP TRIGGER held_has_its_holds ON accounts_account;
DROP TRIGGER changed_holds_have_their_account ON accounts_hold;
DROP TRIGGER new_holds_have_their_account ON accounts_hold;
DROP TRIGGER holds_are_never_emptied ON accounts_hold;
DROP TRIGGER hold_is_never_deleted ON accounts_hold;
DROP TRIGGER hold_keeps_what_was_asked ON accounts_hold;
DROP TRIGGER hold_starts_open_or_declined ON accounts_hold;
DROP FUNCTION ledger_require_account_of_holds();
DROP FUNCTION ledger_require_holds_of_account();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_holds_and_limits"), ("events", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
