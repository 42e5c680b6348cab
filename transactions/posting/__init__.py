"""Posting: the only way that money moves. `post` from inside the monolith, `share` for requests over HTTP."""

from transactions.posting.committer import share
from transactions.posting.engine import Answers, Posting, post, post_each

__all__ = ["Answers", "Posting", "post", "post_each", "share"]
