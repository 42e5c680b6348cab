"""The pages of users and of their accounts."""

from office.pages.accounts import admin

__all__ = ["admin"]
