"""The pages of accounts."""

from office.pages.accounts import admin

__all__ = ["admin"]
