"""What the database refuses of notes: they are added, and what they ask for is done once."""

GUARDS = """
CREATE TRIGGER note_begins_undone BEFORE INSERT ON accounts_note
    FOR EACH ROW WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER note_is_only_done BEFORE UPDATE ON accounts_note
    FOR EACH ROW WHEN (
        OLD.done_at IS NOT NULL
        OR (NEW.id, NEW.author_id, NEW.written_at, NEW.user_id, NEW.subject, NEW.subject_id, NEW.text, NEW.is_task)
            IS DISTINCT FROM
            (OLD.id, OLD.author_id, OLD.written_at, OLD.user_id, OLD.subject, OLD.subject_id, OLD.text, OLD.is_task)
    ) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER note_is_never_deleted BEFORE DELETE ON accounts_note
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER notes_are_never_emptied BEFORE TRUNCATE ON accounts_note
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE accounts_note ENABLE ALWAYS TRIGGER note_begins_undone;
ALTER TABLE accounts_note ENABLE ALWAYS TRIGGER note_is_only_done;
ALTER TABLE accounts_note ENABLE ALWAYS TRIGGER note_is_never_deleted;
ALTER TABLE accounts_note ENABLE ALWAYS TRIGGER notes_are_never_emptied;
"""
WITHOUT_GUARDS = """
DROP TRIGGER notes_are_never_emptied ON accounts_note;
DROP TRIGGER note_is_never_deleted ON accounts_note;
DROP TRIGGER note_is_only_done ON accounts_note;
DROP TRIGGER note_begins_undone ON accounts_note;
"""
