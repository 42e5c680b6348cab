"""Sections of the page of something beside what it shows of itself: its history, its notes, each a tab."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
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


def describe(request: HttpRequest, obj: Any, sections: Sequence[Section], *, first: Any) -> Context:
    """The tabs of the page, and the section that is asked for with what it shows; none, if none is asked for.

    `first` is the title of the tab of the page itself.
    """
    seen = [section for section in sections if section.is_for(request, obj)]
    shown = next((section for section in seen if section.name == request.GET.get("show")), None)
    if not seen:
        return {}
    tabs = [{"title": first, "link": "?", "active": shown is None}]
    tabs += [section.make_tab(request, obj, is_active=section is shown) for section in seen]
    return {"section_tabs": tabs, "section": shown, **(shown.describe(request, obj) if shown else {})}


OF_THE_THING = _("Details")
