"""The ledger's rows, for looking at."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from accounts.currencies import format_amount
from transactions.models import Transaction


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "account",
        "type",
        "amount_shown",
        "status",
        "decline_reason",
        "balance_shown",
        "effective_at",
        "recorded_at",
        "late",
    )
    list_filter = ("type", "status", "late")
    list_select_related = ("account",)
    search_fields = ("=id", "=account__id", "=reference")
    ordering = ("-recorded_at", "-id")

    @admin.display(description="amount")
    def amount_shown(self, row: Transaction) -> str:
        return f"{format_amount(row.amount, row.account.currency)} {row.account.currency}"

    @admin.display(description="balance after")
    def balance_shown(self, row: Transaction) -> str:
        return "" if row.balance_after is None else format_amount(row.balance_after, row.account.currency)
