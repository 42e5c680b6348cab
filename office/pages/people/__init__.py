"""Who did what, when and why: the history of things, what somebody did, what a team changed; and notes."""

from office.pages.people import changes, done, history, notes

__all__ = ["changes", "done", "history", "notes"]
