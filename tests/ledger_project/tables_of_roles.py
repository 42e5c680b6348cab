"""What each role may do with every table. A new one fails in the tests until somebody has decided."""

LOOKS, ADDS, CHANGES = "SELECT", "INSERT SELECT", "INSERT SELECT UPDATE"
ADDS_AND_REMOVES, ALL = "DELETE INSERT SELECT", "DELETE INSERT SELECT UPDATE"
OF_THE_APP = {
    "accounts_account": CHANGES,
    "accounts_claim": CHANGES,
    "accounts_erasure": CHANGES,
    "accounts_hold": CHANGES,
    "accounts_note": CHANGES,
    "accounts_secondfactor": ALL,
    "accounts_threshold": ALL,
    "accounts_token": CHANGES,
    "accounts_user": CHANGES,
    "accounts_user_groups": ADDS_AND_REMOVES,
    "accounts_user_user_permissions": LOOKS,
    "auth_group": LOOKS,
    "auth_group_permissions": LOOKS,
    "auth_permission": LOOKS,
    "axes_accessattempt": ALL,
    "axes_accessattemptexpiration": ALL,
    "axes_accessfailurelog": ADDS_AND_REMOVES,
    "axes_accesslog": CHANGES,
    "django_admin_log": ADDS,
    "django_content_type": LOOKS,
    "django_migrations": LOOKS,
    "django_session": ALL,
    "events_attempt": ADDS_AND_REMOVES,
    "events_event": ADDS,
    "events_feed_state": "SELECT UPDATE",
    "events_pending": ADDS_AND_REMOVES,
    "events_placement": ADDS,
    "events_recordentry": ADDS,
    "events_recordhead": CHANGES,
    "events_subscription": ALL,
    "events_text": CHANGES,
    "transactions_auditrun": ADDS,
    "transactions_batch": ADDS,
    "transactions_correction": CHANGES,
    "transactions_figures": CHANGES,
    "transactions_hourlytotal": CHANGES,
    "transactions_searchedamount": ADDS,
    "transactions_searchedperson": ALL,
    "transactions_searchedreference": ALL,
    "transactions_searchedterm": ADDS_AND_REMOVES,
    "transactions_searchstate": CHANGES,
    "transactions_transaction": ADDS,
}
OF_LOGGING_IN = [table for table in OF_THE_APP if table.startswith("axes_")]
OF_MAINTENANCE = dict.fromkeys(OF_THE_APP, LOOKS) | {
    **dict.fromkeys(OF_LOGGING_IN, ""),
    "django_session": "",
    "events_event": "DELETE SELECT",
    "events_feed_state": "SELECT UPDATE",
    "events_placement": "DELETE SELECT",
    "events_recordentry": ADDS,
    "events_recordhead": CHANGES,
    "events_subscription": "SELECT UPDATE",
    "accounts_secondfactor": "",
    "transactions_auditrun": ADDS,
}
OF_THE_AUDITOR = dict.fromkeys(OF_THE_APP, LOOKS) | {"django_session": ""}
# Of the tables that it changes. A new column is here until somebody has decided.
NEVER_CHANGED = {
    "accounts_account": "created_at currency id name user_id",
    "accounts_claim": (
        "account_id actor amount amount_asked batch created_at decline_details decline_reason destination id"
        " reason reference request_id reverses"
    ),
    "accounts_erasure": "asked_at id maker_id user_id",
    "accounts_hold": (
        "account_id actor amount_asked batch created_at decline_details decline_reason expires_at_asked id"
        " metadata reference request_id"
    ),
    "accounts_note": "author_id id is_task subject subject_id text user_id written_at",
    "accounts_threshold": "account_id actor amount created_at id of request_id",
    "accounts_token": "account_names amount_max created digest expiry permissions token_key types user_id",
    "accounts_secondfactor": "confirmed created_at id name user_id",
    "accounts_user": "id is_holder",
    **dict.fromkeys(("axes_accessattempt", "axes_accessattemptexpiration"), ""),
    "axes_accesslog": ("attempt_time http_accept id ip_address path_info session_hash user_agent username"),
    "django_session": "",
    "events_feed_state": "database_id epoch part pruned_through system_identifier table_id timeline_id",
    "events_subscription": "actor created_at epoch id kind",
    "events_recordhead": "stream",
    "events_text": "id owner",
    "transactions_correction": (
        "account_id amount batch batch_size claim destination id kind made_at maker_id needs_approval place"
        " reason reference request_id reverses type"
    ),
    "transactions_figures": "",
    "transactions_hourlytotal": "",
    "transactions_searchedperson": "",
    "transactions_searchedreference": "",
    "transactions_searchstate": "",
}
