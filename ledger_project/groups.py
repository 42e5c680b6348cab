"""The groups that rights are given through. They are made again, as written here, after every migrate."""

from typing import Any

from django.apps import apps as all_apps
from django.apps.registry import Apps

VIEW = {
    "accounts.view_user",
    "accounts.view_account",
    "accounts.view_hold",
    "accounts.view_claim",
    "transactions.view_transaction",
    "events.view_event",
    "events.view_subscription",
}
POST = {
    "accounts.add_user",
    "accounts.change_user",
    "accounts.add_account",
    "accounts.change_account",
    "accounts.add_hold",
    "accounts.change_hold",
    "transactions.add_transaction",
}
FREEZE = {"accounts.freeze_account"}
CLAIM = {"accounts.claim_account", "accounts.waive_claim"}
THRESHOLDS = {"accounts.manage_thresholds"}
LIMIT = {"accounts.close_account", "accounts.limit_account"}
RULE = FREEZE | THRESHOLDS | LIMIT
SUBSCRIBE = {"events.add_subscription", "events.change_subscription", "events.delete_subscription"}
MONITOR = {"accounts.view_metrics"}
# Of the back office. Staff and tokens are the administrators' alone.
AUDIT = {"transactions.add_auditrun"}
NOTE = {"accounts.view_note", "accounts.add_note"}
LOOK = VIEW | NOTE | {"transactions.view_correction", "transactions.view_auditrun"}
SUPERVISE = {"events.view_changes"}  # what others changed; what they looked at is for auditors
ERASE = {"accounts.view_erasure", "accounts.erase_user"}
CORRECT = {
    "accounts.release_hold",
    "transactions.adjust_account",
    "transactions.reverse_transaction",
    "transactions.approve_correction",
    "events.change_subscription",
}
GROUPS = {
    "api-read": VIEW,
    "api-post": VIEW | POST,
    "api-admin": VIEW | POST | RULE | CLAIM | SUBSCRIBE,
    "monitoring": MONITOR,
    "support": LOOK | FREEZE,
    "operations": LOOK | RULE | CORRECT | CLAIM | ERASE | AUDIT | SUPERVISE,
    "auditor": LOOK | AUDIT | SUPERVISE | {"events.view_recordentry", "accounts.view_erasure"},
}


def create_groups(apps: Apps = all_apps, **signal: Any) -> None:
    """Give every group exactly its rights, as far as what was migrated has them."""
    try:
        Group, Permission = (apps.get_model("auth", name) for name in ("Group", "Permission"))  # noqa: N806
    except LookupError:
        return  # only other apps were migrated
    permissions = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, wanted in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(permissions[each] for each in wanted if each in permissions)
