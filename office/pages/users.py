"""Users. The pages of their holds and accounts are made of transactions, so they are in `transactions`."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import queries
from accounts.models import Account, User
from office.admin import OfficeAdmin, parse_id
from office.templatetags.ledger import moment

ACCOUNTS_MAX = 100  # on the page of a user
NAMESAKES_MAX = 50


@admin.register(User)
class UserAdmin(OfficeAdmin):
    """Whom the ledger knows, with all their accounts. Neither a password nor what one may do is shown."""

    subject_template = "admin/user.html"
    list_display = ("title", "external_id", "id", "kind", "created")
    ordering = ("-created_at", "-id")
    search_fields = ("id",)
    search_help_text = _("An id, an external id, or the start of a name")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        if not search_term:
            return queryset, False
        ids = [user.id for user in queries.find_users_by_words(search_term, limit=NAMESAKES_MAX)]
        if id := parse_id(search_term):
            ids.append(id)
        return queryset.filter(id__in=ids), False

    @admin.display(description=_("name"))
    def title(self, user: User) -> str:
        return str(user)

    @admin.display(description=_("kind"))
    def kind(self, user: User) -> str:
        if user.is_staff:
            return str(_("staff"))
        return str(_("account holder") if user.username == str(user.id) else _("service"))

    @admin.display(description=_("created at"))
    def created(self, user: User) -> str:
        return moment(user.created_at)

    def describe(self, request: HttpRequest, subject: User) -> dict[str, Any]:
        accounts = (
            Account.objects.with_held_due().filter(user=subject).order_by("currency", "name")[:ACCOUNTS_MAX]
        )
        return {
            "person": subject,
            "kind": self.kind(subject),
            "accounts": accounts if request.user.has_perm("accounts.view_account") else [],
        }
