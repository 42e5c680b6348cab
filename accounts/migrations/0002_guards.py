"""An account starts at zero, keeps its identity, and stays."""

from django.db import migrations

CREATE = """
CREATE TRIGGER account_starts_at_zero BEFORE INSERT ON accounts_account
    FOR EACH ROW WHEN (
        NEW.balance <> 0 OR NEW.held <> 0 OR NEW.credit_limit <> 0 OR NEW.credit_limit_max <> 0
        OR NEW.version <> 0 OR NEW.chain_head <> ''
        OR NEW.last_recorded_at IS NOT NULL OR NEW.last_effective_at IS NOT NULL
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER account_keeps_its_identity BEFORE UPDATE ON accounts_account
    FOR EACH ROW WHEN (
        (OLD.id, OLD.user_id, OLD.currency, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.currency, NEW.created_at)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER account_is_never_deleted BEFORE DELETE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER accounts_are_never_emptied BEFORE TRUNCATE ON accounts_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_starts_at_zero;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_keeps_its_identity;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER account_is_never_deleted;
ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER accounts_are_never_emptied;
"""

DROP = """
DROP TRIGGER accounts_are_never_emptied ON accounts_account;
DROP TRIGGER account_is_never_deleted ON accounts_account;
DROP TRIGGER account_keeps_its_identity ON accounts_account;
DROP TRIGGER account_starts_at_zero ON accounts_account;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("events", "0002_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
