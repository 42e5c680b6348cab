"""Users. The pages of their holds and accounts are made of transactions, so they are in `transactions`."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import queries
from accounts.models import Account, User
from office.pages.lists import SearchedAdmin, column
from office.paging import parse_id
from office.templatetags.ledger import moment

ACCOUNTS_MAX = 100  # on the page of a user
NAMESAKES_MAX = 50


@admin.register(User)
class UserAdmin(SearchedAdmin):
    """Whom the ledger knows, with all their accounts. Neither a password nor what one may do is shown."""

    subject_template = "admin/user.html"
    list_display = ("title", "external_id", "id", "kind", "created")
    ordering = ("-created_at", "-id")
    search_help_text = _("An id, an external id, or the start of a name")
    title = column(_("name"), str)
    created = column(_("created at"), lambda user: moment(user.created_at))

    @admin.display(description=_("kind"))
    def kind(self, user: User) -> Any:
        if user.is_staff:
            return _("staff")
        return _("account holder") if user.username == str(user.id) else _("service")

    def search(self, rows: QuerySet[User], words: str) -> QuerySet[User]:
        ids = [user.id for user in queries.find_users_by_words(words, limit=NAMESAKES_MAX)]
        if id := parse_id(words):
            ids.append(id)
        return rows.filter(id__in=ids)

    def describe(self, request: HttpRequest, subject: User) -> dict[str, Any]:
        accounts = Account.objects.with_held_due().filter(user=subject).order_by("currency", "name")
        return {
            "person": subject,
            "kind": self.kind(subject),
            "accounts": accounts[:ACCOUNTS_MAX] if request.user.has_perm("accounts.view_account") else [],
        }
