"""Posting: the only way that money moves, is set aside or an account's rules change.

`post` and `post_request` from inside the monolith, `share` for requests over HTTP; what can be posted is in
`transactions.posting.commands`.
"""

from transactions.posting.bounds import require_within
from transactions.posting.committer import share
from transactions.posting.engine import expire_some, post, post_request
from transactions.posting.rehearsal import Rehearsal, reading_one_moment
from transactions.posting.requests import Answers, PostingRequest, PostingResult

__all__ = [
    "Answers",
    "PostingRequest",
    "PostingResult",
    "Rehearsal",
    "expire_some",
    "post",
    "post_request",
    "reading_one_moment",
    "require_within",
    "share",
]
