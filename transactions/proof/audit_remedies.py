"""What an operator does about a finding. The audit itself repairs nothing."""

A_ROW = (
    "Somebody changed, removed or added rows behind the ledger's back. Keep the database as it is, for "
    "evidence; compare with the last backup (docs/operations.md) and with verify_anchor. Restore the row "
    "from there; or, if money must move, post it openly: POST /api/v1/transactions, with a reference to this."
)
AN_ACCOUNT = (
    "The rows are the truth. As the owner, with the account's guards disabled and in one transaction: set "
    "the account to what its rows add up to, enable the guards ALWAYS; then audit again: "
    "manage.py audit_balances --account ID"
)
AN_EVENT = (
    "Others may have been told otherwise. Restore the event from a backup; then begin a new epoch, so that "
    "consumers compare what they have: manage.py new_feed_epoch --force"
)
A_RULE = (
    "The events are the truth, unless their own MAC is not right: then restore the event from a backup. Set "
    "the row to what they told last, as the owner, with the table's guards disabled and in one transaction; "
    "enable them ALWAYS; then audit again. What was done under a forged rule is in the transactions."
)
AN_ENTRY = (
    "Somebody changed, removed or added entries of the record behind the ledger's back. Keep the database as "
    "it is, for evidence; compare with the last backup (docs/operations.md) and with verify_anchor. What "
    "comes after this entry in its stream proves nothing alone: ask its actor, and whoever had the database."
)
A_CORRECTION = (
    "The record says who asked for it and who approved it, the transaction what was moved: compare the row "
    "with both, and with the last backup. If money moved that nobody approved, reverse it openly."
)
A_MEMBER = (
    "It was done in SQL: the office and the commands write an entry. Deactivate them in the office, look at "
    "what they did (the access log, by who), and put the row back as the record tells."
)
OF_TOKENS = (
    "It was done in SQL: the office and the commands write an entry. Revoke the token in the office, issue "
    "another one, and look at what was done with it: events and transactions name its user."
)
AN_ERASURE = (
    "The record says who asked for it and who approved it: compare the row with it. A text that was erased "
    "without an erasure is in the last backup: put it back from there as the owner, with the table's guards "
    "disabled and in one transaction; enable them ALWAYS; then audit again."
)
A_NOTE = (
    "It was done in SQL: the office writes an entry. The record says who wrote the note and who has done it; "
    "put the row back as it tells."
)
UNCOLLECTED = (
    "The ledger collects by itself what an account that owes has free: somebody changed one behind its "
    "back, or the ledger has a fault. Any command on the account collects: a deposit, for example."
)
REMEDIES = {
    "account": AN_ACCOUNT,
    "empty": AN_ACCOUNT,
    "held": AN_ACCOUNT,
    "owed": AN_ACCOUNT,
    "free": UNCOLLECTED,
    "collected": AN_ACCOUNT,
    "withdrawn": AN_ACCOUNT,
    "captured": AN_ACCOUNT,
    "event_sequence": AN_EVENT,
    "events": AN_EVENT,
    "places": AN_EVENT,
    "streams": AN_EVENT,
    "told": A_RULE,
    "thresholds": A_RULE,
    "users": A_RULE,
    "corrections": A_CORRECTION,
    "erasures": AN_ERASURE,
    "notes": A_NOTE,
    "record": AN_ENTRY,
    "staff": A_MEMBER,
    "tokens": OF_TOKENS,
    "guards": "Put it back as the migration of its table has it, ENABLE ALWAYS, and audit everything.",
}
