"""Faults in what is searched and how it is kept, for `mutants` to plant."""

from tests.planted_faults import Mutant

SEARCH = "tests/transactions/test_search.py::"
FOLLOWER = "tests/transactions/test_search_follower.py::"
LISTS = "tests/transactions/test_lists_searched.py::"
ORACLE = "tests/transactions/test_lists_searched_oracle.py::"
PLAIN = ORACLE + "test_any_filters_in_any_order_find_what_a_plain_reading_finds"
USERS = "tests/accounts/test_users_searched.py::"
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
        "statements.KEEP",
        "CASE WHEN is_forgotten THEN '' ELSE reference END",
        "reference",
        FOLLOWER + "test_who_is_forgotten_is_not_found_by_anything_of_theirs",
    ),
    Mutant(
        "metadata of the forgotten stays",
        "following.forget",
        "    _execute(statements.FORGET_TERMS, [accounts])\n",
        "",
        FOLLOWER + "test_who_is_forgotten_is_not_found_by_anything_of_theirs",
    ),
    Mutant(
        "metadata of the forgotten comes back",
        "statements.KEEP",
        " AND NOT is_forgotten",
        "",
        FOLLOWER + "test_who_is_forgotten_is_not_found_by_anything_of_theirs",
    ),
    Mutant(
        "what was recorded later than it took effect stands at its effect alone",
        "statements.KEEP",
        "is_hold FROM movement WHERE effective_at <> recorded_at",
        "is_hold FROM movement WHERE false",
        PLAIN,
    ),
    Mutant(
        "nothing stands among what moved",
        "statements.KEEP",
        "FROM movement WHERE effective_at <> recorded_at\n    ON CONFLICT DO NOTHING\n)\nSELECT",
        "FROM movement WHERE false\n    ON CONFLICT DO NOTHING\n)\nSELECT",
        PLAIN,
    ),
    Mutant(
        "a page begins with the last row of the one before",
        "listing.read_keys",
        'Q(**{f"id__{beyond}": id})',
        'Q(**{f"id__{beyond}e": id})',
        "tests/rest/test_lists.py::test_pages_are_newest_first_and_complete",
    ),
    Mutant(
        "a page that ends early is the last one",
        "listing.go_through",
        "is_cut=True",
        "is_cut=False",
        LISTS + "test_a_page_looks_at_so_many_rows_and_leads_on",
    ),
    Mutant(
        "a row stands twice, at both its moments",
        "listing.go_through",
        "if moments.get(key.id) == key.at",
        "if key.id in moments",
        PLAIN,
    ),
    Mutant(
        "a page begins at its cursor",
        "listing.go_through",
        '("<", "DESC") if is_descending else (">", "ASC")',
        '("<=", "DESC") if is_descending else (">=", "ASC")',
        PLAIN,
    ),
    Mutant(
        "holders are told what others have",
        "filters.make_listing",
        "if is_own or asked.keys() & FEW:",
        "if asked.keys() & FEW:",
        LISTS + "test_a_holder_is_not_told_whether_others_have_it",
    ),
    Mutant(
        "a key of anybody",
        "TransactionFilter.have_key",
        "derive_id(caller.user.pk, value)",
        "derive_id(Transaction.objects.values_list('actor', flat=True)[0], value)",
        LISTS + "test_what_came_of_a_command_is_found_by_its_key",
    ),
    Mutant(
        "it is known when it is asked, not up to when",
        "SearchPagination.paginate_queryset",
        "format_time(known.known_at)",
        "format_time(known.now)",
        LISTS + "test_an_answer_of_the_search_says_up_to_when_it_knows",
    ),
    Mutant(
        "while it is made anew all is known",
        "SearchPagination.paginate_queryset",
        "None if known.is_rebuilding else format_time",
        "format_time",
        LISTS + "test_while_the_search_is_made_anew_nothing_is_certain",
    ),
    Mutant(
        "as many keys of metadata as somebody likes",
        "find_filters",
        "if len(asked) > METADATA_MAX:",
        "if False:",
        LISTS + "test_what_cannot_be_asked_is_refused",
    ),
    Mutant(
        "one word is enough",
        "listing.filter_by_words",
        "for word in words:",
        "for word in words[:1]:",
        USERS + "test_all_words_stand_in_the_name_each_whole_or_as_it_begins",
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
