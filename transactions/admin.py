"""Transactions, corrections and audits."""

from django.contrib import admin

from office.admin import OfficeAdmin
from office.site import OfficeSite
from transactions import account_admin, find  # noqa: F401, its pages
from transactions.models import AuditRun, Correction, Transaction


@admin.register(Transaction)
class TransactionAdmin(OfficeAdmin):
    list_display = ("id", "status")


@admin.register(Correction)
class CorrectionAdmin(OfficeAdmin):
    list_display = ("id", "status")


@admin.register(AuditRun)
class AuditRunAdmin(OfficeAdmin):
    list_display = ("started_at", "findings")


OfficeSite.add_page("find/", find.find, "find")
