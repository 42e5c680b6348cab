"""A balance changes only together with the transactions that explain it, and they only with their account.

Both guards look at the end of the statement that made the change, so a posting has to be one statement.
The tables are named with their schema: a temporary table of the same name would be found first.
"""

from django.db import migrations

CREATE = """
CREATE TRIGGER transaction_is_never_changed BEFORE UPDATE OR DELETE ON transactions_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER transactions_are_never_emptied BEFORE TRUNCATE ON transactions_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_require_transactions_of_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change numeric;   -- what the new transactions add up to
    seen bigint;      -- how many there are
    ending numeric;   -- the balance after the last of them
    wanted bigint := NEW.version - OLD.version;
BEGIN
    IF wanted = 0 AND NEW.balance = OLD.balance THEN  -- declines only
        PERFORM 1 FROM public.transactions_transaction
            WHERE account_id = NEW.id AND recorded_at = NEW.last_recorded_at;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    ELSIF wanted = 1 THEN
        SELECT CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END, 1, balance_after
            INTO change, seen, ending
            FROM public.transactions_transaction WHERE account_id = NEW.id AND version = NEW.version;
    ELSE
        -- The closed upper bound lets the planner expect few rows.
        SELECT sum(CASE type WHEN 'DEPOSIT' THEN amount ELSE -amount END), count(*),
                max(balance_after) FILTER (WHERE version = NEW.version)
            INTO change, seen, ending
            FROM public.transactions_transaction
            WHERE account_id = NEW.id AND version > OLD.version AND version <= NEW.version;
    END IF;
    IF (wanted >= 1 AND seen = wanted AND change = NEW.balance - OLD.balance AND ending = NEW.balance) IS NOT TRUE THEN
        RAISE EXCEPTION 'the balance of account % is not explained by its transactions', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_require_account_of_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (
        SELECT account_id, max(version) AS version, max(recorded_at) AS recorded_at
        FROM new_rows GROUP BY account_id
    ) AS written
    LEFT JOIN LATERAL (
        SELECT version, last_recorded_at FROM public.accounts_account WHERE id = written.account_id OFFSET 0
    ) AS account ON true
    WHERE account.last_recorded_at IS DISTINCT FROM written.recorded_at
        OR account.version <> written.version
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a transaction was written without its account' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER balance_has_its_transactions AFTER UPDATE ON accounts_account
    FOR EACH ROW WHEN (
        (OLD.balance, OLD.version, OLD.last_recorded_at)
        IS DISTINCT FROM (NEW.balance, NEW.version, NEW.last_recorded_at)
    )
    EXECUTE FUNCTION ledger_require_transactions_of_balance();
CREATE TRIGGER transactions_have_their_account AFTER INSERT ON transactions_transaction
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_account_of_transactions();

ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER transaction_is_never_changed;
ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER transactions_are_never_emptied;
ALTER TABLE transactions_transaction ENABLE ALWAYS TRIGGER transactions_have_their_account;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER balance_has_its_transactions;
"""

DROP = """
DROP TRIGGER balance_has_its_transactions ON accounts_account;
DROP TRIGGER transactions_have_their_account ON transactions_transaction;
DROP TRIGGER transactions_are_never_emptied ON transactions_transaction;
DROP TRIGGER transaction_is_never_changed ON transactions_transaction;
DROP FUNCTION ledger_require_account_of_transactions();
DROP FUNCTION ledger_require_transactions_of_balance();
"""


class Migration(migrations.Migration):
    dependencies = [("transactions", "0001_initial"), ("accounts", "0002_guards"), ("events", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
