"""Faults for `mutants` to plant in the audit and the anchors, and for each the test that must see it."""

from tests.planted_faults import Mutant

TAMPERING = "tests/transactions/test_tampering.py::"
ANCHORS = "tests/transactions/test_anchors.py::"
AUDIT = "tests/transactions/test_audit.py::"
AUDIT_SQL = "tests/transactions/test_audit_sql.py::"
RACES_OF_BALANCES = "tests/transactions/test_races_of_balances.py::"
DRILL = "tests/tampering/test_drill.py::test_every_change_comes_to_what_is_declared"
REMOVALS = TAMPERING + "test_what_is_removed_put_in_or_swapped_is_found_by_the_name_of_the_row"
TOLD = "tests/transactions/test_told.py::"

MUTANTS = [
    Mutant(
        "chain not verified",
        "audit._walk",
        "            if _compute(current, message) != link and",
        "            if False and",
        DRILL,
    ),
    Mutant(
        "accounts not compared",
        "WALK",
        "CASE WHEN t.seq = ends_at AND (",
        "CASE WHEN false AND (",
        DRILL,
    ),
    Mutant(
        "events not compared",
        "audit_sql.QUESTIONS",
        "OR stream IS NOT NULL AND (told.type, told.recorded_at) IS DISTINCT FROM",
        "OR false AND (told.type, told.recorded_at) IS DISTINCT FROM",
        AUDIT_SQL + "test_an_event_that_tells_of_a_row_otherwise_is_found",
    ),
    Mutant(
        "two events about one row unnoticed",
        "audit_sql.QUESTIONS",
        "GROUP BY stream, about HAVING count(*) > 1",
        "GROUP BY stream, about HAVING false",
        AUDIT_SQL + "test_two_events_about_one_row_are_found_by_the_name_of_the_second",
    ),
    Mutant(
        "events that stay not counted",
        "audit_sql.QUESTIONS",
        "event_sequence <> coalesce(others, 0) + seq",
        "false",
        AUDIT + "test_an_event_that_must_stay_is_missed_after_pruning_too",
    ),
    Mutant(
        "gaps between events unnoticed",
        "audit_sql.QUESTIONS",
        "OR sequence <> coalesce(before, 0) + 1 AND",
        "OR false AND",
        REMOVALS,
    ),
    Mutant(
        "the order of places unnoticed",
        "audit_sql.QUESTIONS",
        "FROM ordered WHERE position < before",
        "FROM ordered WHERE false",
        AUDIT_SQL + "test_an_event_without_its_one_place_is_found",
    ),
    Mutant(
        "places not compared",
        "audit_sql.QUESTIONS",
        "WHERE event.stream IS NULL OR (position IS NULL) = (pending.stream IS NULL) AND NOT (",
        "WHERE false AND NOT (",
        AUDIT_SQL + "test_an_event_without_its_one_place_is_found",
    ),
    Mutant("holds not added up", "audit_sql.QUESTIONS", "held <> coalesce(rest, 0)", "false", DRILL),
    Mutant(
        "MACs not verified",
        "told.__init__._prove",
        "if not sealed.has_mac(",
        "if False and not sealed.has_mac(",
        TOLD + "test_an_event_that_was_changed_is_found",
    ),
    Mutant(
        "texts not verified",
        "told.__init__._prove",
        "if event.content is None or texts.is_right(",
        "if True or texts.is_right(",
        TOLD + "test_a_text_that_was_changed_is_found",
    ),
    Mutant(
        "owners not compared",
        "told.__init__._compare_account",
        '        "user": str(account.user_id),',
        "",
        TOLD + "test_an_account_that_is_not_what_was_told_is_found",
    ),
    Mutant(
        "closed holds not missed",
        "told.__init__._compare_kept",
        "    for key in sorted(key for key in fold.became if key[0] == kind and key not in there):\n",
        "    for key in ():\n",
        TOLD + "test_a_closed_hold_that_was_removed_is_found",
    ),
    Mutant(
        "members of staff made in SQL unnoticed",
        "told.__init__._compare_user",
        "    if created:  # whom",
        "    if False:  # whom",
        "tests/transactions/test_attacks_on_staff.py::test_a_superuser_makes_a_user_of_the_api_a_member_of_staff",
    ),
    Mutant(
        "superusers made in SQL unnoticed",
        "audit_staff.STAFF",
        "WHERE (is_staff OR people.is_superuser OR is_made) AND (",
        "WHERE is_made AND (",
        "tests/transactions/test_attacks_on_staff.py::test_a_superuser_of_the_office_is_made_in_sql",
    ),
    Mutant(
        "what was forged is taken at its word",
        "told.__init__.find_wrong_users",
        "            if told:\n                events[event.sealed.stream].append(told)",
        "            events[event.sealed.stream].append(told or event)",
        TAMPERING + "test_an_event_of_nobody_and_one_that_a_user_does_not_count_are_found",
    ),
    Mutant(
        "the state of the feed not missed",
        "audit_sql.QUESTIONS",
        "WHERE NOT EXISTS (SELECT FROM events_feed_state)",
        "WHERE false",
        DRILL,
    ),
    Mutant(
        "personal text left in events",
        "texts._take",
        "        return None",
        "        return value",
        "tests/events/test_changes_are_told.py::test_no_personal_text_stands_in_events",
    ),
    Mutant(
        "since a moment, everything before it forgotten",
        "WALK",
        "coalesce(base.balance_after, 0) AS base_balance",
        "0 AS base_balance",
        AUDIT + "test_since_a_moment_only_what_is_newer_is_walked_and_it_is_clean",
    ),
    Mutant(
        "guards not looked for",
        "guards.find_wrong",
        "        if afresh.get(key) != there.get(key):",
        "        if False:",
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
        "_compare_head",
        'if head != line["chain_head"]:',
        'if row_id and head != line["chain_head"]:',
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
