"""A correction starts waiting, is decided once, keeps what was asked, and stays."""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_start_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'WAITING' THEN
        RAISE EXCEPTION 'correction % starts waiting', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION ledger_decide_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'WAITING' OR NEW.status = 'WAITING'
        OR (NEW.id, NEW.kind, NEW.account_id, NEW.type, NEW.amount, NEW.reference, NEW.reason, NEW.maker_id,
            NEW.made_at, NEW.request_id, NEW.needs_approval)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.account_id, OLD.type, OLD.amount, OLD.reference, OLD.reason,
            OLD.maker_id, OLD.made_at, OLD.request_id, OLD.needs_approval)
        OR NEW.reverses IS DISTINCT FROM OLD.reverses
    THEN
        RAISE EXCEPTION 'correction % is decided once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER correction_starts_waiting BEFORE INSERT ON transactions_correction
    FOR EACH ROW EXECUTE FUNCTION ledger_start_correction();
CREATE TRIGGER correction_is_decided_once BEFORE UPDATE ON transactions_correction
    FOR EACH ROW EXECUTE FUNCTION ledger_decide_correction();
CREATE TRIGGER correction_is_never_deleted BEFORE DELETE ON transactions_correction
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER corrections_are_never_emptied BEFORE TRUNCATE ON transactions_correction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER correction_starts_waiting;
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER correction_is_decided_once;
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER correction_is_never_deleted;
ALTER TABLE transactions_correction ENABLE ALWAYS TRIGGER corrections_are_never_emptied;
"""

DROP = """
DROP TRIGGER corrections_are_never_emptied ON transactions_correction;
DROP TRIGGER correction_is_never_deleted ON transactions_correction;
DROP TRIGGER correction_is_decided_once ON transactions_correction;
DROP TRIGGER correction_starts_waiting ON transactions_correction;
DROP FUNCTION ledger_decide_correction();
DROP FUNCTION ledger_start_correction();
"""


class Migration(migrations.Migration):
    dependencies = [("transactions", "0004_office"), ("events", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
