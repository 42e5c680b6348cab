"""Every page of the back office, a module for each thing that it shows."""

from office.pages import (
    access_log,
    accounts,
    audits,
    claims,
    corrections,
    dashboard,
    erasures,
    events,
    find,
    holds,
    people,
    settings,
    staff,
    subscriptions,
    tokens,
    transactions,
)

__all__ = [
    "access_log",
    "accounts",
    "audits",
    "claims",
    "corrections",
    "dashboard",
    "erasures",
    "events",
    "find",
    "holds",
    "people",
    "settings",
    "staff",
    "subscriptions",
    "tokens",
    "transactions",
]
