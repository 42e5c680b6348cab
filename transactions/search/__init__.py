"""Finding people and movements of money by what somebody has of them.

`read` makes a question of a text; `find_people` and `find_movements` answer it with ids, `read_people` and
`read_movements` with what these are now; `read_knowledge` says up to when the search knows. `keep` follows
the feed, `begin_rebuilding` makes all anew, `forget` is part of erasing a person.
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
from transactions.search.questions import Question, read

__all__ = [
    "Knowledge",
    "Question",
    "attempt",
    "begin_rebuilding",
    "find_movements",
    "find_people",
    "follow_some",
    "forget",
    "keep",
    "read",
    "read_knowledge",
    "read_movements",
    "read_people",
]
