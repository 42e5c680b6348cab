"""Support staff look at users and accounts here; nothing of the ledger can be edited."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.currencies import format_amount
from accounts.models import Account, Hold, User


class ReadOnlyAdmin(admin.ModelAdmin):
    """Every field is shown, none can be changed, whoever asks."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "external_id", "username", "is_staff", "created_at")
    search_fields = ("=id", "=external_id", "name", "=username")
    ordering = ("-created_at", "-id")
    exclude = ("password", "created_as")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "user", "name", "currency", "status", "balance_shown", "available_shown", "version")
    list_filter = ("status", "currency")
    list_select_related = ("user",)
    search_fields = ("=id", "=user__id", "=user__external_id", "user__name")
    ordering = ("-created_at", "-id")

    @admin.display(description="balance", ordering="balance")
    def balance_shown(self, account: Account) -> str:
        return format_amount(account.balance, account.currency)

    @admin.display(description="available")
    def available_shown(self, account: Account) -> str:
        return format_amount(account.available, account.currency)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "amount_shown", "captured_shown", "status", "expires_at", "created_at")
    list_filter = ("status",)
    list_select_related = ("account",)
    search_fields = ("=id", "=account__id", "=reference")
    ordering = ("-created_at", "-id")

    @admin.display(description="amount")
    def amount_shown(self, hold: Hold) -> str:
        return f"{format_amount(hold.amount, hold.account.currency)} {hold.account.currency}"

    @admin.display(description="captured")
    def captured_shown(self, hold: Hold) -> str:
        return format_amount(hold.captured, hold.account.currency)
