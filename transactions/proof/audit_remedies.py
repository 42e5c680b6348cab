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
REMEDIES = {
    "account": AN_ACCOUNT,
    "empty": AN_ACCOUNT,
    "held": AN_ACCOUNT,
    "withdrawn": AN_ACCOUNT,
    "captured": AN_ACCOUNT,
    "event_sequence": AN_EVENT,
    "events": AN_EVENT,
    "places": AN_EVENT,
    "streams": AN_EVENT,
    "guards": "Put it back as the migration of its table has it, ENABLE ALWAYS, and audit everything.",
}
