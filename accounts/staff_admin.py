"""Staff and tokens: for administrators."""

from django.contrib import admin

from accounts.models import Staff, Token
from office.admin import OfficeAdmin


@admin.register(Staff)
class StaffAdmin(OfficeAdmin):
    list_display = ("username", "name")


@admin.register(Token)
class TokenAdmin(OfficeAdmin):
    list_display = ("user", "expiry")
