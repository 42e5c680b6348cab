"""Lists of which several are chosen by boxes, for what is then shown and asked of all of them."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import Media
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ledger.values import UUID_TEXT
from office.admin import SearchedAdmin
from office.lists import read_all
from transactions.posting import ROWS_MAX


class ChoosingAdmin(SearchedAdmin):
    """Boxes are shown to who has `choose_permissions`; its `actions` lead on to a page of what was chosen."""

    choose_permissions: tuple[str, ...] = ()
    media = Media(js=[Script("admin/js/actions.js", defer=True)])  # type: ignore[list-item]  # of Django 5.2

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if request.user.has_perms(self.choose_permissions) else {}

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if not all(map(UUID_TEXT.fullmatch, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            messages.error(request, _("There is no such thing any more."))
            return None
        if request.POST.get("select_across") == "1":  # of the whole list, as it is narrowed
            found = read_all(self.get_changelist_instance(request), most=ROWS_MAX + 1)
            queryset = queryset.filter(pk__in=[row.pk for row in found.rows])
        return super().response_action(request, queryset)  # type: ignore[no-any-return]
