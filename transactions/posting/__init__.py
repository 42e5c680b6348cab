"""Posting: the only way that money moves, is set aside or an account's rules change.

`post`, `post_or_raise` and `posted` from inside the monolith (docs/in-process.md), `share` for requests over
HTTP, `post_request` for files; `rehearse` tells what a request would come to. What can be posted is in
`transactions.posting.commands`.
"""

from transactions.posting.asked import PARTS_MAX
from transactions.posting.batches import ROWS_MAX, NewBatch, make_reversals
from transactions.posting.bounds import require_within
from transactions.posting.commands import Command
from transactions.posting.committer import share
from transactions.posting.engine import expire_some, post_request
from transactions.posting.in_process import post, post_or_raise, posted
from transactions.posting.rehearsal import Rehearsal, Rehearsed, reading_one_moment, rehearse
from transactions.posting.requests import Answers, PostingRequest, PostingResult, find_culprit
from transactions.posting.state import Culprit

__all__ = [
    "PARTS_MAX",
    "ROWS_MAX",
    "Answers",
    "Command",
    "Culprit",
    "NewBatch",
    "PostingRequest",
    "PostingResult",
    "Rehearsal",
    "Rehearsed",
    "expire_some",
    "find_culprit",
    "make_reversals",
    "post",
    "post_or_raise",
    "post_request",
    "posted",
    "reading_one_moment",
    "rehearse",
    "require_within",
    "share",
]
