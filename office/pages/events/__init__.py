"""The pages of what happened and of who is told of it."""

from office.pages.events import feed, subscriptions

__all__ = ["feed", "subscriptions"]
