"""Faults for `mutants` to plant in who sees whom and who comes in, and for each the test that must see it."""

from tests.planted_faults import Mutant

HOLDERS = "tests/accounts/test_only_holders_are_shown.py::"
STAFF = "tests/test_staff_guards.py::"
EVENTS = "tests/events/test_holders_events.py::"
MATRIX = "tests/test_matrix.py::"
BACKUP = "tests/office/test_stolen_backup.py::"
GUARDS = "_who_is_who.GUARDS"
OTHER_LEG = MATRIX + (
    "test_of_a_transfer_with_somebody_else_ones_own_leg_is_whole_and_the_other_one_says_nothing_of_them"
)

MUTANTS = [
    Mutant(
        "staff and services among the users",
        "UserViewSet.get_queryset",
        "User.objects.filter(is_holder=True)",
        "User.objects",
        f"{HOLDERS}test_lists_show_holders_only",
    ),
    Mutant(
        "what differs from a member of staff is told",
        "operations.create_user",
        "if not found.is_holder:",
        "if False:",
        f"{HOLDERS}test_their_id_is_taken_and_nothing_is_told_of_whom",
    ),
    Mutant(
        "accounts for services",
        "operations.create_account",
        "filter(id=user_id, is_holder=True)",
        "filter(id=user_id)",
        f"{HOLDERS}test_inside_nobody_else_gets_an_account_or_a_name_either",
    ),
    Mutant(
        "accounts for services, by plain SQL",
        GUARDS,
        "WHERE id = NEW.user_id AND NOT is_holder;",
        "WHERE id = NEW.user_id AND false;",
        f"{HOLDERS}test_the_database_too_gives_accounts_to_holders_only",
    ),
    Mutant(
        "the service makes superusers",
        GUARDS,
        "coalesce(OLD.is_superuser, false) AND NOT is_owner THEN",
        "coalesce(OLD.is_superuser, false) AND false THEN",
        f"{STAFF}test_the_service_makes_no_superuser_whatever_is_told",
    ),
    Mutant(
        "staff by an old entry of the record",
        GUARDS,
        "AND recorded_at >= transaction_timestamp()",
        "",
        f"{STAFF}test_an_entry_of_an_earlier_transaction_is_none",
    ),
    Mutant(
        "staff by an entry of nobody",
        GUARDS,
        "AND (actor IS NOT NULL OR is_owner);",
        ";",
        f"{STAFF}test_an_entry_without_an_actor_is_an_operators_and_the_owners_alone",
    ),
    Mutant(
        "another user name",
        "accounts.migrations.0001_initial.GUARDS",
        "(OLD.id, OLD.username, OLD.created_at)",
        "(OLD.id, NEW.username, OLD.created_at)",
        "tests/test_rule_guards.py::test_users_stay_and_texts_are_only_erased",
    ),
    Mutant(
        "positions for holders",
        "EventViewSet._read",
        'event["position"] = None',
        "pass",
        f"{EVENTS}test_a_kept_cursor_goes_on_over_the_events_of_others",
    ),
    Mutant(
        "what waits of others is more for a holder",
        "feed.read",
        "has_more=(of_all and state.has_pending)",
        "has_more=state.has_pending",
        f"{EVENTS}test_thousands_of_events_of_others_change_nothing_but_opaque_text",
    ),
    Mutant(
        "the same cursor twice",
        "ciphers.encrypt",
        "nonce = secrets.token_bytes(NONCE_BYTES)",
        "nonce = bytes(NONCE_BYTES)",
        f"{EVENTS}test_thousands_of_events_of_others_change_nothing_but_opaque_text",
    ),
    Mutant(
        "the other leg whole",
        "TransferViewSet.retrieve",
        "row.as_json if is_seen else hide(row)",
        "row.as_json if is_seen else row.as_json",
        OTHER_LEG,
    ),
    Mutant(
        "transfers of strangers",
        "TransferViewSet.retrieve",
        "if not any(seen):",
        "if not rows:",
        f"{MATRIX}test_what_is_foreign_answers_like_what_is_missing",
    ),
    Mutant(
        "caches keep answers",
        "RequestMiddleware.__init__",
        "self.headers = find_headers(HttpRequest()) | NOT_KEPT",
        "self.headers = find_headers(HttpRequest())",
        "tests/rest/test_no_store.py::test_answers_of_every_form_are_not_kept",
    ),
    Mutant(
        "one's secret as somebody else's second factor",
        "staff.seal_secret",
        'f"second factor of {user_id}"',
        '"second factor of "',
        f"{BACKUP}test_a_second_factor_that_cannot_be_read_is_refused_by_name",
    ),
    Mutant(
        "the secret of an app stays under the old key",
        "SecondFactor.take",
        "        self.secret = seal_secret(self.user_id, secret)\n",
        "",
        f"{BACKUP}test_a_secret_is_encrypted_anew_after_a_change_of_the_key_and_the_old_key_is_done_with",
    ),
    Mutant(
        "keys of sessions in the database",
        "office.visits.sessions.hash_key",
        "return sha256(key.encode()).hexdigest()[:KEY_LENGTH]",
        "return key",
        f"{BACKUP}test_what_the_database_has_of_a_session_opens_nothing",
    ),
]
