"""The tests as a role of the database: with `LEDGER_TEST_ROLE=app` Django's connections are the service's.

What is the owner's own business is done as the owner, each time on a new connection.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.signals import connection_created

from ledger_project.database.roles import Roles

KIND = os.environ.get("LEDGER_TEST_ROLE", "")
# What no role of the service may do: the guards, which show that even the owner cannot; upkeep, which is
# another role's, as the audit is; statistics; a world that is made by force.
OWNERS = {
    "tests/test_guards.py",
    "tests/test_hold_guards.py",
    "tests/test_changed_hold_guards.py",
    "tests/test_claim_guards.py",
    "tests/test_collection_guards.py",
    "tests/transactions/test_claimed_reversals.py::test_the_database_holds_what_may_be_taken_back",
    "tests/transactions/test_corrections_of_lists.py::test_a_list_that_lost_one_is_found",
    "tests/test_batch_guards.py",
    "tests/test_search_guards.py",
    "tests/test_rule_guards.py",
    "tests/test_reversal_guards.py",
    "tests/test_threshold_guards.py",
    "tests/test_text_guards.py",
    "tests/test_record_guards.py",
    "tests/test_token_guards.py",
    "tests/test_staff_guards.py",
    "tests/test_every_guard.py",
    "tests/test_migrations.py",
    "tests/test_plans_that_last.py",
    "tests/test_histories_at_random.py",
    "tests/test_currency_taken_out.py",
    "tests/releases/test_columns_that_come.py",
    "tests/transactions/test_erasure_drill.py",
    "tests/accounts/test_erasure_guards.py",
    "tests/accounts/test_note_guards.py",
    "tests/events/test_entries.py::test_changes_are_found_without_what_was_looked_at",
    "tests/events/test_entries.py::test_of_who_changed_nothing_nobody_elses_changes_are_walked_through",
    "tests/transactions/test_erasures_are_proven.py",
    "tests/accounts/test_rules.py::test_yesterdays_withdrawals_count_no_more",
    "tests/rest/test_codes_of_feed.py",
    "tests/rest/test_every_code.py::test_a_refusal_has_its_code_status_and_shape[events_pruned]",
    "tests/rest/test_every_code.py::test_a_refusal_has_its_code_status_and_shape[feed_stopped]",
    "tests/rest/test_every_code.py::test_a_refusal_that_is_not_recorded_changes_nothing[events_pruned]",
    "tests/rest/test_every_code.py::test_a_refusal_that_is_not_recorded_changes_nothing[feed_stopped]",
    "tests/events/test_changes_are_told.py::test_what_was_erased_is_shown_as_null_and_the_rest_as_it_was",
    "tests/rest/test_every_code.py::test_a_stranger_with_the_same_id_is_not_told_what_differs",
    "tests/events/test_feed.py::test_in_another_database_the_feed_stops",
    "tests/events/test_feed_guards.py",
    "tests/events/test_record.py::test_forgotten_text_breaks_nothing",
    "tests/events/test_record.py::test_when_the_clock_goes_back_time_stands_still_along_a_stream",
    "tests/events/test_relay.py::test_a_subscription_whose_events_are_gone_is_disabled",
    "tests/events/test_relay.py::test_in_another_database_nothing_is_sent",
    "tests/events/test_tracing.py::"
    "test_what_was_pruned_waits_for_nothing_and_was_sent_to_whoever_has_passed_it",
    "tests/events/test_upkeep.py",
    "tests/examples/test_new_epoch.py",
    "tests/faults/test_feed_races.py",
    "tests/faults/test_restore_drill.py",
    "tests/ledger_project/test_database_roles.py",
    "tests/ledger_project/test_watching.py",
    # Audits.
    "tests/transactions/test_audits.py",
    "tests/ledger_project/test_auditing.py",
    "tests/ledger_project/test_audits_of_the_service.py",
    "tests/test_try_it_out.py::test_the_examples_are_made_once_and_audited_clean",
    "tests/office/test_audit_pages.py::test_findings_are_shown_with_links_to_their_rows",
    "tests/office/test_audit_pages.py::test_the_list_says_what_the_last_audit_covered",
    "tests/transactions/test_in_process.py::test_a_list_with_an_id_takes_own_rows_along",
    # Rights on the table of a neighbour are the neighbour's business.
    "tests/neighbour/test_buying.py",
    "tests/neighbour/test_in_process_page.py",
    # Of these, the log is broken by force, and a run of the audit is made.
    "tests/office/test_access_log.py",
    "tests/office/test_page_costs.py",
    "tests/office/test_headers.py::test_no_page_and_no_download_of_anything_is_kept",
    "tests/office/test_nothing_can_be_edited.py",
    "tests/office/test_permissions.py",
    "tests/office/test_access_log_page.py::test_every_search_and_every_page_reads_an_index_in_its_order",
    "tests/office/test_access_log_page.py::test_nobody_changes_the_log_past_the_pages",
    "tests/office/test_account_page.py::test_who_may_see_accounts_only_sees_no_sections",
    "tests/office/test_account_plans.py",
    "tests/office/test_dashboard.py::test_each_part_is_for_who_may_view_what_it_is_made_of",
    "tests/office/test_dashboard.py::test_it_costs_the_same_queries_on_any_ledger",
    "tests/office/test_dashboard.py::"
    "test_each_part_of_what_operators_look_after_is_for_who_may_view_what_it_is_made_of",
    "tests/office/test_find.py::test_whoever_may_not_see_transactions_or_users_finds_none",
    "tests/office/test_list_plans.py",
    "tests/office/test_look.py::test_tabs_and_headings_are_names_and_no_ids",
    "tests/office/test_look.py::test_the_sidebar_and_the_way_back_have_one_name",
    "tests/office/test_statement_of_a_period.py::test_who_may_not_see_transactions_gets_no_statement",
    "tests/office/test_dashboard_alarms.py",
    "tests/office/test_event_pages.py::test_what_was_pruned_has_no_page_and_does_not_wait_for_one",
    "tests/office/test_event_pages.py::test_who_may_not_see_subscriptions_is_not_told_their_urls",
    "tests/office/test_permissions_over_staff.py::"
    "test_who_is_no_superuser_changes_neither_one_nor_themselves_nor_who_may_do_more",
    "tests/office/test_permissions_over_staff.py::test_who_only_looks_at_staff_is_offered_nothing",
    "tests/office/test_subscription_pages.py::test_what_the_feed_refuses_is_said_in_words",
    "tests/office/test_transaction_page.py::"
    "test_of_an_old_capture_that_was_pruned_the_event_of_its_hold_is_still_shown",
    "tests/office/test_user_and_hold_pages.py::test_an_audit_says_what_it_covered_and_found",
    "tests/browser/test_accessibility.py::test_the_pages_of_every_day_keep_nobody_out",
    "tests/browser/test_widths.py::test_lists_and_an_account_hold_what_is_long",
    "tests/transactions/test_today.py",
    "tests/transactions/test_chain.py",
    "tests/transactions/test_guards_are_proven.py",
    "tests/transactions/test_anchors.py",
    "tests/transactions/test_audit_sql.py",
    # Ends a connection from outside.
    "tests/transactions/test_committer_faults.py::"
    "test_a_connection_that_is_killed_while_it_waits_for_a_lock_loses_and_doubles_nothing",
    "tests/transactions/test_shared_reads.py::test_a_connection_that_was_lost_is_replaced_before_anybody_is_told",
    "tests/transactions/test_audit.py",
    "tests/transactions/test_exchanges.py",
    "tests/transactions/test_batch_identity.py::test_a_list_that_was_changed_is_named",
    "tests/transactions/test_told.py",
    "tests/transactions/test_told_thresholds.py",
    "tests/transactions/test_filters_oracle.py::test_users_and_accounts_are_filtered_and_paged_exactly",
    "tests/transactions/test_coming_from_a_balance_column.py",
    "tests/transactions/test_correction_guards.py",
    "tests/transactions/test_corrections_of_claims.py",
    "tests/transactions/test_guards.py",
    "tests/transactions/test_long_account.py",
    "tests/transactions/test_plans.py",
    "tests/transactions/test_races_of_figures.py::"
    "test_who_is_killed_in_the_middle_of_a_slice_has_counted_nothing_of_it",
    "tests/transactions/test_races_of_figures.py::test_who_counts_goes_on_after_its_connection_was_ended",
    "tests/transactions/test_retries.py",
    "tests/transactions/test_search_follower.py",
    "tests/tampering/test_declared.py",
    "tests/tampering/test_drill.py",
    "tests/tampering/test_guards_missed.py",
    "tests/transactions/test_attacks.py",
    "tests/transactions/test_attacks_on_staff.py",
    "tests/transactions/test_prune_drill.py",
    "tests/transactions/test_record_of_commands.py::"
    "test_operators_commands_are_entries_of_nobody_in_particular",
    "tests/transactions/test_who_did_it.py::test_staff_are_in_the_groups_that_the_record_tells",
    "tests/transactions/test_record_is_proven.py",
    "tests/transactions/test_tampering.py",
}
_owners = 0  # how many ask for the owner at this moment


@contextmanager
def taken() -> Iterator[None]:
    """Around all tests: the roles of the test database are made, and gone afterwards."""
    if not KIND:
        yield
        return
    roles = Roles(connection.settings_dict["NAME"])
    roles.apply()
    connection_created.connect(_take_role)
    try:
        connection.close()
        yield
    finally:
        connection_created.disconnect(_take_role)
        connection.close()
        with connection.cursor() as cursor:
            names = ", ".join(roles.names.values())
            cursor.execute(f"REASSIGN OWNED BY {names} TO CURRENT_USER")
            cursor.execute(f"DROP OWNED BY {names}")
            cursor.execute(f"DROP ROLE {names}")
        connection.close()


@contextmanager
def as_owner() -> Iterator[None]:
    """What is done in it, outside a transaction, is done as the owner of the test database."""
    global _owners
    _owners += 1
    if KIND:
        connection.close()
    try:
        yield
    finally:
        _owners -= 1
        if KIND:
            connection.close()


@contextmanager
def commanding() -> Iterator[None]:
    """What is done in it, in a transaction too, is done as the owner: as the commands of operators do it."""
    if not KIND or _owners:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("RESET SESSION AUTHORIZATION")
    yield
    _take_role(connection)


def is_owners(item) -> bool:
    """By its file, its function, or one of its parameters."""
    return any(item.nodeid == name or item.nodeid.startswith((f"{name}::", f"{name}[")) for name in OWNERS)


def _take_role(connection, **signal) -> None:
    database = connection.settings_dict["NAME"]
    if database.startswith("test_") and not _owners:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION AUTHORIZATION {Roles(database).names[KIND]}")
