"""What the database refuses by itself: the triggers and constraints that must be there, always on."""

from collections.abc import Iterator

from django.apps import apps

from ledger.sql import fetch

PACKAGES = ("office", "events", "accounts", "transactions")
TRIGGERS = {
    "accounts_account": [
        "account_is_never_deleted",
        "account_keeps_its_identity",
        "account_starts_at_zero",
        "accounts_are_never_emptied",
        "balance_has_its_transactions",
        "held_has_its_holds",
    ],
    "accounts_hold": [
        "changed_holds_have_their_account",
        "hold_is_never_deleted",
        "hold_keeps_what_was_asked",
        "hold_starts_open_or_declined",
        "holds_are_never_emptied",
        "new_holds_have_their_account",
    ],
    "events_event": [
        "event_is_kept_until_pruned",
        "event_is_never_changed",
        "events_are_never_emptied",
    ],
    "events_feed_state": [
        "feed_goes_forward",
        "feed_state_is_never_deleted",
        "feed_state_is_never_emptied",
    ],
    "events_pending": [
        "pending_event_gets_its_place",
        "pending_event_is_never_changed",
        "pending_events_are_never_emptied",
    ],
    "events_placement": [
        "place_is_kept_until_pruned",
        "place_is_never_changed",
        "places_are_never_emptied",
        "places_have_no_gaps",
    ],
    "office_access": [
        "access_is_never_changed",
        "accesses_are_never_emptied",
    ],
    "transactions_correction": [
        "correction_is_decided_once",
        "correction_is_never_deleted",
        "correction_starts_waiting",
        "corrections_are_never_emptied",
    ],
    "transactions_transaction": [
        "transaction_is_never_changed",
        "transactions_are_never_emptied",
        "transactions_have_their_account",
    ],
}


def find_missing() -> Iterator[tuple[str, str, str]]:
    """Guards that are not as they must be: their table, their name, and what is found instead."""
    enabled = {
        (table, name): state
        for table, name, state in fetch(
            "SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
        )
    }
    constraints = set(
        fetch(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE convalidated"
            " UNION SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index"
            " WHERE indisunique AND indisvalid"
        )
    )
    for table, names in TRIGGERS.items():
        for name in names:
            if enabled.get((table, name)) != "A":  # always
                yield table, name, "off" if (table, name) in enabled else "missing"
    for package in PACKAGES:
        for model in apps.get_app_config(package).get_models():
            for constraint in model._meta.constraints:
                if (model._meta.db_table, constraint.name) not in constraints:
                    yield model._meta.db_table, constraint.name, "missing"
