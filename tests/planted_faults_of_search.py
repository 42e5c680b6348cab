"""Faults in what is searched and how it is kept, for `mutants` to plant."""

from tests.planted_faults import Mutant

SEARCH = "tests/transactions/test_search.py::"
FOLLOWER = "tests/transactions/test_search_follower.py::"
FIND = "tests/office/test_find.py::"

MUTANTS = [
    Mutant(
        "a typing error is not found",
        "keys.find_spellings",
        "{word, *find_deletions(word)}",
        "{word}",
        SEARCH + "test_a_person_is_found_by_any_word_of_the_name_with_one_error",
    ),
    Mutant(
        "two typing errors are one",
        "folding.is_near",
        "a[1:] == b[1:] or",
        "a[2:] == b[2:] or",
        SEARCH + "test_two_errors_are_not",
    ),
    Mutant(
        "words are found that have the same key alone",
        "finding.rank_person",
        "if ranks and None not in ranks:\n        return max(rank for rank in ranks if rank is not None)",
        "if ranks:\n        return EXACT",
        SEARCH + "test_whole_words_come_before_starts_and_these_before_errors",
    ),
    Mutant(
        "the day alone, not the ones beside it",
        "questions.read_amount_on_day",
        "_begin(day, -1), _begin(day, 2)",
        "_begin(day, 0), _begin(day, 1)",
        SEARCH + "test_an_amount_on_a_day_is_read_as_people_write_it",
    ),
    Mutant(
        "the follower skips an event",
        "following._follow",
        "_execute(statements.MOVE, [position])",
        "_execute(statements.MOVE, [position + 1])",
        FOLLOWER + "test_every_event_is_followed_once_and_the_ledger_says_the_same",
    ),
    Mutant(
        "made anew, it loses what came meanwhile",
        "following.follow_some",
        "followed = _follow(state, last)",
        "followed = not state.rebuilding and _follow(state, last)\n        _execute(statements.MOVE, [last])",
        FOLLOWER + "test_what_comes_while_all_is_made_anew_is_not_lost",
    ),
    Mutant(
        "words of the forgotten stay",
        "following.forget",
        "_execute(statements.FORGET_PEOPLE, [[user_id]])",
        "",
        FOLLOWER + "test_who_is_forgotten_is_not_found_by_anything_of_theirs",
    ),
    Mutant(
        "references of the forgotten stay",
        "following.forget",
        '_execute(statements.FORGET_REFERENCES, {"accounts": accounts})',
        "",
        FOLLOWER + "test_who_is_forgotten_is_not_found_by_anything_of_theirs",
    ),
    Mutant(
        "references of the forgotten come back",
        "statements.KEEP_AMOUNTS",
        "IS NOT NULL THEN '' ELSE reference END",
        "IS NOT NULL THEN reference ELSE reference END",
        FOLLOWER + "test_who_is_forgotten_is_not_found_by_anything_of_theirs",
    ),
    Mutant(
        "a hold is found by an amount that it had",
        "statements.FIND_AMOUNTS",
        "NOT is_hold OR",
        "true OR",
        SEARCH + "test_a_hold_is_found_by_the_amount_that_it_has_now",
    ),
    Mutant(
        "an erasure does not wait for who writes",
        "following.forget",
        "    _lock()\n",
        "",
        FOLLOWER + "test_a_step_that_has_read_the_person_ends_before_they_are_forgotten",
    ),
    Mutant(
        "namesakes are cut without a word",
        "_cut",
        "len(ids),\n        is_cut,",
        "SHOWN,\n        is_cut,",
        FIND + "test_twenty_namesakes_are_on_a_page_and_it_says_of_how_many",
    ),
]
