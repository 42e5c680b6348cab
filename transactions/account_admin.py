"""Accounts. Their page is made of transactions, so it is here and not in `accounts`."""

from django.contrib import admin

from accounts.models import Account
from office.admin import OfficeAdmin


@admin.register(Account)
class AccountAdmin(OfficeAdmin):
    list_display = ("id", "status")
