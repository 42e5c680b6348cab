"""How the back office looks, and what its sidebar leads to: everybody sees what they may open."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Ledger"),
    "SITE_HEADER": _("Ledger"),
    "SITE_SYMBOL": "account_balance",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("office/icon.svg")}
    ],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": reverse_lazy("admin:set_language")},
    "ACCOUNT": {
        "navigation": [
            {"title": _("My settings"), "link": reverse_lazy("admin:settings")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    "STYLES": [
        lambda request: static("office/office.css"),
        lambda request: static("office/account.css"),
        lambda request: static("office/dashboard.css"),
        lambda request: static("office/lists.css"),
        lambda request: static("office/print.css"),
    ],
    "DASHBOARD_CALLBACK": "office.pages.dashboard.describe",
    "SIDEBAR": {"navigation": "office.navigation.describe"},
}


def describe(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar; beside the link to corrections, how many wait for approval, if any do."""
    from office.pages import (
        corrections,
        erasures,
        people,
    )  # the settings, which these need, import this module

    return [
        {
            "items": [
                {"title": _("Dashboard"), "icon": "dashboard", "link": reverse_lazy("admin:index")},
                _lead(_("Find"), "search", "find", "accounts.view_account"),
                _lead(
                    _("Notes"),
                    "sticky_note_2",
                    "accounts_note_changelist",
                    "accounts.view_note",
                    people.notes.count_open(request),
                ),
            ]
        },
        {
            "title": _("Money"),
            "items": _lead_to_money(corrections.count_waiting(request)),
        },
        {
            "title": _("Webhooks & events"),
            "items": [
                _lead(
                    _("Subscriptions"),
                    "notifications",
                    "events_subscription_changelist",
                    "events.view_subscription",
                ),
                _lead(_("Events"), "history", "events_placement_changelist", "events.view_event"),
            ],
        },
        {
            "title": _("Control"),
            "items": [
                _lead(_("Changes of staff"), "manage_history", "changes", "events.view_changes"),
                _lead(
                    _("Operations"),
                    "monitoring",
                    "operations",
                    "events.view_subscription",
                ),
                _lead(
                    _("Access log"), "visibility", "events_recordentry_changelist", "events.view_recordentry"
                ),
                _lead(
                    _("Erasures"),
                    "person_off",
                    "accounts_erasure_changelist",
                    "accounts.view_erasure",
                    erasures.count_waiting(request),
                ),
                _lead(
                    _("Audits"), "verified", "transactions_auditrun_changelist", "transactions.view_auditrun"
                ),
                _lead(_("Staff"), "badge", "accounts_staff_changelist", "accounts.view_staff"),
                _lead(_("Tokens"), "key", "accounts_token_changelist", "accounts.view_token"),
            ],
        },
    ]


def _lead_to_money(waiting: str) -> list[dict[str, Any]]:
    """`waiting` is how many corrections are."""
    return [
        _lead(_("Users"), "person", "accounts_user_changelist", "accounts.view_user"),
        _lead(
            _("Accounts"),
            "account_balance_wallet",
            "accounts_account_changelist",
            "accounts.view_account",
        ),
        _lead(
            _("Transactions"),
            "receipt_long",
            "transactions_transaction_changelist",
            "transactions.view_transaction",
        ),
        _lead(_("Holds"), "lock_clock", "accounts_hold_changelist", "accounts.view_hold"),
        _lead(_("Claims"), "request_quote", "accounts_claim_changelist", "accounts.view_claim"),
        _lead(
            _("Corrections"),
            "fact_check",
            "transactions_correction_changelist",
            "transactions.view_correction",
            waiting,
        ),
    ]


def _lead(title: Any, icon: str, page: str, permission: str, waiting: str = "") -> dict[str, Any]:
    """A link; beside it how many wait for approval, if any do."""
    return {
        **({"badge": waiting, "badge_variant": "warning"} if waiting else {}),
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{page}"),
        "permission": lambda request: request.user.has_perm(permission),
    }
