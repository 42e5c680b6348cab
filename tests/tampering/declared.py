"""What the drill must come to: for every column of every table, decided here, and shown in docs/proof.md.

A new column fails the tests until somebody has decided. What nobody sees needs its reason, in plain words.
"""

from tests.tampering.outcomes import Entry, Outcome, decide

REFUSED, FOUND, ANCHOR, UNSEEN, _ = Outcome

SECRET = "a secret that only its owner can check"
RELAY = "the relay's bookkeeping: what was sent, what failed, what comes next"
WHOM = "whom events are sent to; the record says who made and changed it, the row is not compared with it"
OF_STAFF = (
    "found of users made over the API, whose events tell it; of staff and services the record says who made"
    " them, and this is not compared with it"
)
OF_GROUPS = (
    "found of staff, as the record tells it; of services the record says who put them there with a token"
)
OF_SERVICES = "found of staff, as the record tells it; services and holders have no such entries"
SEARCHED = "what the office searches, made of the ledger; what is found is read from there"
COUNTED = "figures of the dashboard, counted from the transactions, which are proven"
FACTORS = "authenticator apps of staff; the record says who set one up, the row is not compared with it"
HASHES = "by it the external id of somebody who was forgotten is known again; it goes after a time"
SURROGATE = "a number of Django's that nothing refers to"

DECLARED: dict[str, dict[str, Entry]] = {
    "accounts_account": decide(
        (
            "id user_id name currency status balance held owed credit_limit credit_limit_max status_reason"
            " withdraw_max withdraw_day_max withdrawn_on withdrawn seq version event_sequence"
            " last_recorded_at last_effective_at chain_head metadata created_at nearest removed",
            REFUSED,
            FOUND,
            "",
        ),
        ("added", FOUND, FOUND, ""),
    ),
    "accounts_claim": decide(
        (
            "id account_id amount amount_asked collected collections status decline_reason decline_details"
            " reason reference destination reverses waived_reason batch created_at closed_at actor request_id"
            " event_sequence removed added",
            REFUSED,
            FOUND,
            "",
        ),
    ),
    "accounts_erasure": decide(
        (
            "id user_id reason maker_id checker_id status asked_at decided_at removed",
            REFUSED,
            FOUND,
            "",
        ),
        ("external_id_hash hash_until", REFUSED, UNSEEN, HASHES),
        ("added", FOUND, FOUND, ""),
    ),
    "accounts_hold": decide(
        (
            "id account_id amount amount_asked captured status decline_reason decline_details expires_at"
            " expires_at_asked reference metadata batch created_at closed_at actor request_id event_sequence"
            " removed added",
            REFUSED,
            FOUND,
            "",
        ),
    ),
    "accounts_note": decide(
        (
            "id author_id written_at user_id subject subject_id text is_task done_by_id done_at removed",
            REFUSED,
            FOUND,
            "",
        ),
        ("added", FOUND, FOUND, "the record says who wrote it"),
    ),
    "accounts_secondfactor": decide(
        ("id name confirmed created_at user_id", REFUSED, UNSEEN, FACTORS),
        (
            "secret drift last_t last_used_at throttling_failure_timestamp throttling_failure_count",
            UNSEEN,
            UNSEEN,
            FACTORS,
        ),
        ("removed added", UNSEEN, UNSEEN, FACTORS),
    ),
    "accounts_threshold": decide(
        (
            "id account_id of amount below since created_at actor request_id event_sequence removed added",
            REFUSED,
            FOUND,
            "",
        ),
    ),
    "accounts_token": decide(
        (
            "token_key created user_id expiry permissions account_names types amount_max removed",
            REFUSED,
            FOUND,
            "",
        ),
        ("revoked_at added", FOUND, FOUND, "the record says who issued and revoked it"),
        ("digest", REFUSED, UNSEEN, SECRET),
        ("last_used_at", UNSEEN, UNSEEN, "when it was used, to two minutes; nothing is decided by it"),
    ),
    "accounts_user": decide(
        ("event_sequence erased_at", REFUSED, FOUND, ""),
        ("is_staff is_superuser", REFUSED, FOUND, "the record says who was let into the office"),
        ("is_holder", REFUSED, REFUSED, "computed by the database"),
        (
            "id name external_id metadata created_at created_as last_recorded_at removed",
            REFUSED,
            UNSEEN,
            OF_STAFF,
        ),
        ("username", REFUSED, UNSEEN, OF_STAFF),
        ("added", UNSEEN, UNSEEN, OF_STAFF),
        ("password", UNSEEN, UNSEEN, SECRET),
        ("is_active", UNSEEN, UNSEEN, OF_SERVICES),
        (
            "must_change_password",
            UNSEEN,
            UNSEEN,
            "the record says who was given a password, and when they changed it",
        ),
        ("email last_login time_zone", UNSEEN, UNSEEN, "nothing is decided by it"),
    ),
    "accounts_user_groups": decide(
        ("id", REFUSED, UNSEEN, SURROGATE),
        ("user_id group_id", REFUSED, FOUND, OF_GROUPS),
        ("removed added", FOUND, FOUND, OF_GROUPS),
    ),
    "accounts_user_user_permissions": decide(
        (
            "id user_id permission_id removed added",
            REFUSED,
            UNSEEN,
            "nobody is given any: permissions are of groups",
        ),
    ),
    "events_event": decide(
        (
            "stream sequence type recorded_at about actor actor_kind request_id data before text text_mac mac"
            " removed added",
            REFUSED,
            FOUND,
            "",
        ),
    ),
    "events_feed_state": decide(
        ("part added", REFUSED, REFUSED, "there is one row"),
        ("last_position pruned_through removed", REFUSED, FOUND, ""),
        ("epoch", REFUSED, UNSEEN, "the name of the feed's history: every consumer is told that it changed"),
        (
            "system_identifier timeline_id database_id table_id",
            REFUSED,
            UNSEEN,
            "of which database the feed is: in any other one it stops, which everybody notices",
        ),
        ("relay_seen_at", UNSEEN, UNSEEN, "that a relay works; it says so again ten seconds later"),
    ),
    "events_pending": decide(
        ("recorded_at stream sequence removed", REFUSED, FOUND, ""),
        ("added", FOUND, FOUND, ""),
    ),
    "events_placement": decide(
        ("part", REFUSED, REFUSED, ""),
        ("position stream sequence removed added", REFUSED, FOUND, ""),
    ),
    "events_recordentry": decide(
        ("id", REFUSED, UNSEEN, "the order of lists; the record's own is (stream, number)"),
        (
            "number recorded_at actor_kind request_id type action subject subject_id data text text_mac"
            " chain_hash removed added",
            REFUSED,
            FOUND,
            "",
        ),
        ("stream actor", REFUSED, REFUSED, "each is the other; both changed together are found"),
    ),
    "events_recordhead": decide(
        ("stream number recorded_at chain_hash removed added", REFUSED, FOUND, ""),
    ),
    "events_subscription": decide(
        ("kind", REFUSED, REFUSED, ""),
        ("id epoch actor created_at account_id user_id", REFUSED, UNSEEN, WHOM),
        ("url types status position secret_generation secret_rotated_at removed added", UNSEEN, UNSEEN, WHOM),
        (
            "attempts next_attempt_at lease leased_until sent failed unroutable last_sent_at last_error"
            " last_error_at failing_since",
            UNSEEN,
            UNSEEN,
            RELAY,
        ),
    ),
    "events_attempt": decide(
        ("id position began_at milliseconds status_code error", REFUSED, UNSEEN, RELAY),
        ("subscription_id", REFUSED, REFUSED, "a key of the database: there is no such subscription"),
        ("removed added", UNSEEN, UNSEEN, RELAY),
    ),
    "events_text": decide(
        ("id owner removed", REFUSED, FOUND, ""),
        ("content", FOUND, FOUND, "erased in a transaction that erases a person; refused in any other"),
        ("added", UNSEEN, UNSEEN, "a text that no event and no entry names is shown to nobody"),
    ),
    "transactions_auditrun": decide(
        (
            "id started_at finished_at seen_through is_whole since account_id accounts rows findings found"
            " removed",
            REFUSED,
            UNSEEN,
            "what an audit found in its time; the next one finds it again",
        ),
        (
            "added",
            REFUSED,
            UNSEEN,
            "the service can add one that says of itself that it was of a part, and no other",
        ),
    ),
    "transactions_batch": decide(
        (
            "id atomic reference metadata fingerprint recorded_at actor actor_kind request_id mac removed",
            REFUSED,
            FOUND,
            "",
        ),
        ("added", FOUND, FOUND, ""),
    ),
    "transactions_correction": decide(
        (
            "id kind account_id type amount reference reason reverses claim destination batch"
            " batch_size maker_id made_at request_id needs_approval status checker_id decided_at"
            " decision_reason removed",
            REFUSED,
            FOUND,
            "",
        ),
        ("place", REFUSED, REFUSED, ""),
        ("added", FOUND, FOUND, ""),
    ),
    "transactions_figures": decide(
        ("id added", REFUSED, REFUSED, ""),
        ("counted_through biggest held biggest_at", UNSEEN, UNSEEN, COUNTED),
        ("removed", REFUSED, UNSEEN, COUNTED),
    ),
    "transactions_hourlytotal": decide(
        ("id hour currency type outcome count amount late added", UNSEEN, UNSEEN, COUNTED),
        ("removed", REFUSED, UNSEEN, COUNTED),
    ),
    "transactions_searchedamount": decide(
        ("amount effective_at id is_hold removed", REFUSED, UNSEEN, SEARCHED),
        ("added", UNSEEN, UNSEEN, SEARCHED),
    ),
    "transactions_searchedperson": decide(
        ("user_id name external_id contacts keys removed added", UNSEEN, UNSEEN, SEARCHED),
    ),
    "transactions_searchedreference": decide(
        ("id is_hold recorded_at reference keys removed added", UNSEEN, UNSEEN, SEARCHED),
    ),
    "transactions_searchstate": decide(
        ("id added", REFUSED, REFUSED, ""),
        ("position rebuilding before_at before_id", UNSEEN, UNSEEN, SEARCHED),
        ("removed", REFUSED, UNSEEN, SEARCHED),
    ),
    "transactions_transaction": decide(
        ("status", REFUSED, REFUSED, "it goes with a version or a reason"),
        ("change", REFUSED, REFUSED, "computed by the database"),
        (
            "id account_id type amount amount_asked reference metadata effective_at_asked decline_reason"
            " decline_details seq version balance_after recorded_at effective_at late transfer batch reverses"
            " hold final claim actor actor_kind request_id chain_format chain_hash removed added",
            REFUSED,
            FOUND,
            "",
        ),
    ),
}

# The tables that Django and its packages bring, each as a whole: no change of them is tried.
OF_OTHERS = {
    "auth_group": "the groups of the office and the API; the next migration makes them anew",
    "auth_group_permissions": "what the groups may do; the next migration makes it anew",
    "auth_permission": "Django's names of what can be permitted; made by migrations",
    "axes_accessattempt": "wrong passwords of late, for locking logins; the record has its own entry of each",
    "axes_accessattemptexpiration": "when such a lock ends",
    "axes_accessfailurelog": "wrong passwords; the record has its own entry of each",
    "axes_accesslog": "logins; the record has its own entry of each",
    "django_admin_log": "Django's own log of its admin; nothing of the ledger's is written there",
    "django_content_type": "Django's names of its models; made by migrations",
    "django_migrations": "which migrations ran; whether tables and guards are as they make them is proven",
    "django_session": f"who is logged in at this moment: {SECRET}",
}
