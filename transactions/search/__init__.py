"""Finding people and movements of money by what somebody has of them.

`read` makes a question of a text; `find_people` and `find_movements` answer it with ids, `read_people` and
`read_movements` with what these are now; `read_knowledge` says up to when the search knows. `find_keys` pages
through a `Listing`, what the API lists. `keep` follows the feed, `begin_rebuilding` makes all anew, `forget`
is part of erasing a person.
"""

from transactions.search.finding import find_movements, find_people, read_movements, read_people
from transactions.search.following import (
    Knowledge,
    attempt,
    begin_rebuilding,
    follow_some,
    forget,
    keep,
    read_knowledge,
)
from transactions.search.listing import (
    BY_CREATION,
    BY_EFFECT,
    BY_RECORDING,
    Key,
    Keys,
    Listing,
    Lookup,
    filter_by_words,
    find_keys,
    look_up_amounts,
    look_up_prefix,
    look_up_term,
    look_up_words,
    split,
)
from transactions.search.questions import Question, read

__all__ = [
    "BY_CREATION",
    "BY_EFFECT",
    "BY_RECORDING",
    "Key",
    "Keys",
    "Knowledge",
    "Listing",
    "Lookup",
    "Question",
    "attempt",
    "begin_rebuilding",
    "filter_by_words",
    "find_keys",
    "find_movements",
    "find_people",
    "follow_some",
    "forget",
    "keep",
    "look_up_amounts",
    "look_up_prefix",
    "look_up_term",
    "look_up_words",
    "read",
    "read_knowledge",
    "read_movements",
    "read_people",
    "split",
]
