"""Faults for `mutants` to plant in the audit and the anchors, and for each the test that must see it."""

from tests.planted_faults import Mutant

TAMPERING = "tests/transactions/test_tampering.py::"
ANCHORS = "tests/transactions/test_anchors.py::"
AUDIT = "tests/transactions/test_audit.py::"
AUDIT_SQL = "tests/transactions/test_audit_sql.py::"
RACES_OF_BALANCES = "tests/transactions/test_races_of_balances.py::"
HUNDRED = TAMPERING + "test_a_hundred_changes_are_all_found_by_the_name_of_the_row"

MUTANTS = [
    Mutant(
        "chain not verified",
        "audit._walk",
        "            if _compute(current, message) != link and",
        "            if False and",
        HUNDRED,
    ),
    Mutant(
        "accounts not compared",
        "WALK",
        "CASE WHEN recorded_at = ends_at AND (",
        "CASE WHEN false AND (",
        HUNDRED,
    ),
    Mutant(
        "events not compared",
        "audit_sql.QUESTIONS",
        'OR NOT {_is_told("decided.amount", "told.amount")}',
        "OR false",
        AUDIT_SQL + "test_an_event_that_tells_another_number_is_found",
    ),
    Mutant(
        "places not compared",
        "audit_sql.QUESTIONS",
        "WHERE event.id IS NULL OR (position IS NULL) = (pending.event_id IS NULL)",
        "WHERE false",
        AUDIT_SQL + "test_an_event_without_its_one_place_is_found",
    ),
    Mutant("holds not added up", "audit_sql.QUESTIONS", "held <> coalesce(rest, 0)", "false", HUNDRED),
    Mutant(
        "since a moment, everything before it forgotten",
        "WALK",
        "coalesce(base.balance_after, 0) AS base_balance",
        "0 AS base_balance",
        AUDIT + "test_since_a_moment_only_what_is_newer_is_walked_and_it_is_clean",
    ),
    Mutant(
        "guards not looked for",
        "find_missing",
        '            if enabled.get((table, name)) != "A":  # always\n',
        "            if False:\n",
        AUDIT + "test_a_guard_that_was_taken_away_or_switched_off_is_found",
    ),
    Mutant(
        "signatures not verified",
        "anchors.read",
        "        key.verify(signature, digest.digest())\n",
        "        del key, signature\n",
        ANCHORS + "test_a_changed_anchor_or_one_of_a_stranger_is_refused",
    ),
    Mutant(
        "cut tails unnoticed",
        "_compare",
        "(row is None or bytes(row.chain_hash).hex()",
        "(row is not None and bytes(row.chain_hash).hex()",
        ANCHORS + "test_a_cut_tail_that_fits_is_found_by_the_anchor",
    ),
    Mutant(
        "who is posting not waited for",
        "IS_SETTLED",
        "locker = 0 OR",
        "true OR",
        RACES_OF_BALANCES + "test_a_balance_at_a_date_waits_for_who_is_posting",
    ),
    Mutant(
        "a group of lockers taken for one",
        "IS_SETTLED",
        "mxid_age(locker) < 0",
        "true",
        RACES_OF_BALANCES + "test_a_balance_at_a_date_waits_for_who_is_posting",
    ),
]
