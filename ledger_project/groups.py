"""The groups that rights are given through. They are made again, as written here, after every migrate."""

from typing import Any

from django.contrib.auth.models import Group, Permission

VIEW = {"accounts.view_user", "accounts.view_account", "transactions.view_transaction"}
POST = {
    "accounts.add_user",
    "accounts.change_user",
    "accounts.add_account",
    "accounts.change_account",
    "transactions.add_transaction",
}
GROUPS = {
    "api-read": VIEW,
    "api-post": VIEW | POST,
    "api-admin": VIEW | POST,
    "support": VIEW,
    "operations": VIEW,
    "auditor": VIEW,
}


def create_groups(**signal: Any) -> None:
    """Give every group exactly its rights."""
    codes = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.select_related("content_type")
    }
    for name, rights in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(codes[right] for right in rights)
