"""Users and holds."""

from django.contrib import admin

from accounts import staff_admin  # noqa: F401, registers its pages
from accounts.models import Hold, User
from office.admin import OfficeAdmin


@admin.register(User)
class UserAdmin(OfficeAdmin):
    list_display = ("name", "external_id")


@admin.register(Hold)
class HoldAdmin(OfficeAdmin):
    list_display = ("id", "status")
