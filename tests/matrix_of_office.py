"""Every page of the back office and who opens it. A new model, command or page is a new line here."""

# The right that shows a model to staff.
MODELS = {
    "accounts/user": "accounts.view_user",
    "accounts/erasure": "accounts.view_erasure",
    "accounts/account": "accounts.view_account",
    "accounts/hold": "accounts.view_hold",
    "accounts/claim": "accounts.view_claim",
    "accounts/note": "accounts.view_note",
    "accounts/staff": "accounts.view_staff",
    "accounts/token": "accounts.view_token",
    "events/placement": "events.view_event",
    "events/subscription": "events.view_subscription",
    "events/recordentry": "events.view_recordentry",
    "transactions/auditrun": "transactions.view_auditrun",
    "transactions/correction": "transactions.view_correction",
    "transactions/transaction": "transactions.view_transaction",
}
MODEL_PAGES = (
    "",
    "add/",
    "{object_id}/",
    "{object_id}/change/",
    "{object_id}/delete/",
    "{object_id}/history/",
)
# The right that a command to one of a model asks for, beside that to see it; and one to none of them yet.
STAFF = "accounts.change_staff"
COMMANDS = {
    "accounts/user": {"forget": "accounts.erase_user", "note": "accounts.add_note"},
    "accounts/erasure": dict.fromkeys(("approve", "reject"), "accounts.erase_user"),
    "accounts/account": {
        "freeze": "accounts.freeze_account",
        "unfreeze": "accounts.freeze_account",
        "adjust": "transactions.adjust_account",
        "limits": "accounts.limit_account",
        "close": "accounts.close_account",
        "claim": "accounts.claim_account",
        "set-threshold": "accounts.manage_thresholds",
        "remove-threshold": "accounts.manage_thresholds",
        "audit": "transactions.add_auditrun",
        "note": "accounts.add_note",
    },
    "accounts/note": {"done": "accounts.add_note"},
    "accounts/hold": {"release": "accounts.release_hold"},
    "accounts/claim": {"waive": "accounts.waive_claim"},
    "accounts/staff": {
        "groups": STAFF,
        "activate": STAFF,
        "deactivate": STAFF,
        "password": STAFF,
        "reset-second-factor": STAFF,
        "unlock": STAFF,
    },
    "accounts/token": {"revoke": "accounts.delete_token"},
    "events/subscription": dict.fromkeys(
        ("pause", "resume", "replay", "test", "try-now"), "events.change_subscription"
    ),
    "transactions/transaction": {
        "reverse": "transactions.reverse_transaction",
        "claim": "accounts.claim_account",
        "note": "accounts.add_note",
    },
    "transactions/correction": {
        "approve": "transactions.approve_correction",
        "reject": "transactions.view_correction",  # one's own; that of others asks for the right to approve
    },
}
LIST_COMMANDS = {
    "transactions/auditrun": {"audit": "transactions.add_auditrun"},
    "accounts/staff": {"create": "accounts.add_staff"},
    "accounts/token": {"issue": "accounts.add_token"},
}
# Pages that belong to no model: what they ask for; None: nothing but to be staff.
PAGES = {
    "": None,
    "changes/": "events.view_changes",
    "find/": "accounts.view_account",
    "find/recent/": "accounts.view_account",
    "operations/": "events.view_subscription",
    "jsi18n/": None,
    "password_change/": None,
    "password_change/done/": None,
    "search/": None,
    "settings/": None,
}
# Pages of what was chosen in a list, which is sent to them: what they ask for, beside to see it.
CHOSEN = {
    "transactions/transaction/reverse-together/": "transactions.reverse_transaction",
    "transactions/correction/approve-together/": "transactions.approve_correction",
}
# The rest, which have nothing to show: what GET answers to staff.
EMPTY = {
    "autocomplete/": 403,
    "r/{content_type_id}/{object_id}/": 404,
    "{url}": 404,
}
OTHERS = ("logout/", "second-factor/", "language/", "{app_label}/")

OFFICE_ROUTES = (
    *PAGES,
    *CHOSEN,
    *EMPTY,
    *OTHERS,
    *(f"{model}/{page}" for model in MODELS for page in MODEL_PAGES),
    *(f"{model}/{{object_id}}/{name}/" for model, names in COMMANDS.items() for name in names),
    *(f"{model}/{name}/" for model, names in LIST_COMMANDS.items() for name in names),
)
