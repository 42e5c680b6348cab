"""Searching in tests: the follower comes when it is called, and not a moment later."""

from datetime import UTC, datetime

from events import feed
from transactions import search
from transactions.models import SearchedAmount, SearchedPerson, SearchedReference, SearchedTerm

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def follow():
    """Until everything that happened is known. Returns in how many steps."""
    steps = 0
    while feed.place_pending():
        pass
    while search.follow_some():
        steps += 1
    return steps


def find_names(words):
    """The names of the people who are found, the best first."""
    found = search.find_people(search.read(words, search.read_knowledge().now))
    return [user.name for user in search.read_people(found.ids)]


def find_references(words):
    """The references of the transactions and holds that are found, in order."""
    found = search.find_movements(search.read(words, search.read_knowledge().now))
    return [each.reference for each in search.read_movements(found.ids)]


def read_tables():
    """All that is searched, to be compared."""
    return [
        sorted(model.objects.values_list(*fields))
        for model, fields in (
            (SearchedPerson, ("user_id", "name", "external_id", "contacts", "keys")),
            (SearchedReference, ("id", "is_hold", "recorded_at", "reference", "keys")),
            (SearchedAmount, ("amount", "at", "id", "is_hold")),
            (SearchedTerm, ("term", "at", "id")),
        )
    ]
