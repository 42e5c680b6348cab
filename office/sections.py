"""Sections of the page of something beside what it shows of itself: its history, its notes, each a tab."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Context = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Section:
    """`describe(request, obj)` is what its `template` shows, for `?show=` with its name.

    `count` may say how many there are, beside its title. It is for who has any of the `permissions`; if there
    are none, for whoever sees the page.
    """

    name: str
    title: Promise
    template: str
    describe: Callable[[HttpRequest, Any], Context]
    permissions: tuple[str, ...] = ()
    count: Callable[[HttpRequest, Any], str] = field(default=lambda request, obj: "")
    applies: Callable[[Any], bool] = field(default=lambda obj: True)

    def is_for(self, request: HttpRequest, obj: Any) -> bool:
        may = not self.permissions or any(map(request.user.has_perm, self.permissions))
        return may and self.applies(obj)

    def make_tab(self, request: HttpRequest, obj: Any, *, is_active: bool) -> dict[str, Any]:
        count = self.count(request, obj)
        title = f"{self.title} ({count})" if count else self.title
        return {"title": title, "link": f"?show={self.name}", "active": is_active}


class WithHistory:
    """Of an admin class whose objects have a section `history`: Django's address of it leads there."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        page = reverse(self._name("change"), args=[unquote(object_id)])  # type: ignore[attr-defined]
        return HttpResponseRedirect(f"{page}?show=history")


def choose(page: Any, request: HttpRequest, obj: Any) -> tuple[str, Context]:
    """The template of the page and what it shows: of the section that is asked for, or of the page itself."""
    seen = [section for section in page.sections if section.is_for(request, obj)]
    if not seen:
        return page.change_form_template, page.describe(request, obj)
    shown = next((section for section in seen if section.name == request.GET.get("show")), None)
    tabs = [{"title": _("Details"), "link": "?", "active": shown is None}]
    tabs += [section.make_tab(request, obj, is_active=section is shown) for section in seen]
    found = {"section_tabs": tabs, "section": shown}
    if shown is None:
        return page.change_form_template, found | page.describe(request, obj)
    return "admin/section.html", found | shown.describe(request, obj)
