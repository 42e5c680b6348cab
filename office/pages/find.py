"""Finding what somebody asks about, by whatever they have of it; and the customers who were seen last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import idempotency, queries
from accounts.errors import IdempotencyKeyInvalid
from office import access
from office.access import Action
from office.admin import parse_id
from office.site import OfficeSite
from office.visits import recent
from transactions import search
from transactions.reading.search import Found, find_by_id

LENGTH_MAX = 255  # nothing that can be looked for is longer
SHOWN = 20  # on a page
PURSES_SHOWN = 3
BEHIND_SECONDS = 5  # from then on the page says it
# What is found by its id, the permission to see it, and its page.
KINDS = {
    "users": ("accounts.view_user", "accounts_user"),
    "accounts": ("accounts.view_account", "accounts_account"),
    "transactions": ("transactions.view_transaction", "transactions_transaction"),
    "holds": ("accounts.view_hold", "accounts_hold"),
    "claims": ("accounts.view_claim", "accounts_claim"),
    "corrections": ("transactions.view_correction", "transactions_correction"),
}


class TextForm(forms.Form):
    q = forms.CharField(
        label=_("What do you have?"),
        help_text=_(
            "Words of a name, an e-mail address, a phone number, a part of an external id or of a reference,"
            " an id, or an amount on a day: 50.00 on 24 Nov"
        ),
        max_length=LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autofocus": True, "autocomplete": "off", "spellcheck": "false"}),
    )


class KeyForm(forms.Form):
    caller = forms.CharField(
        label=_("Caller"),
        help_text=_("The user name of a service, or the id of a user"),
        max_length=LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    key = forms.CharField(
        label="Idempotency-Key",
        max_length=LENGTH_MAX,
        strip=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A page of what was found, of so many; `is_cut`: of so many or more. The pages beside it by their
    addresses."""

    ids: Sequence[Any]
    first: int
    count: int
    is_cut: bool
    before: str
    after: str

    @property
    def last(self) -> int:
        return self.first + len(self.ids) - 1


def find(request: HttpRequest) -> HttpResponse:
    """Two forms, one for a text and one for a key, and what was found by the one that was sent."""
    if not request.user.has_perm("accounts.view_account"):
        raise PermissionDenied
    by_key = "key" in request.GET or "caller" in request.GET
    text_form = TextForm(request.GET if request.GET.get("q", "").strip() and not by_key else None)
    key_form = KeyForm(request.GET if by_key else None)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Find"),
        "text_form": text_form,
        "key_form": key_form,
    }
    if by_key and key_form.is_valid():
        context |= _find_by_key(request, key_form)
    elif text_form.is_valid():
        text = text_form.cleaned_data["q"]
        access.record(request, Action.SEARCH, "find", words=text)
        if id := parse_id(text):
            found = _keep_visible(request, find_by_id(id))
            if page := _find_only_page(found):
                return HttpResponseRedirect(page)
            context |= {"found": found}
        if not id or not found:
            context |= _find_by_words(request, text)
    elif not by_key:
        context |= {"seen": _find_seen(request)}
    return TemplateResponse(request, "admin/find.html", context)


def show_recent(request: HttpRequest) -> HttpResponse:
    """The customers seen last, as a part of any page: what the dialog of Find shows below its box."""
    if not request.user.has_perm("accounts.view_account"):
        raise PermissionDenied
    access.record(request, Action.VIEW, "find", detail="customers seen last")
    return TemplateResponse(request, "office/recent.html", {"seen": _find_seen(request)})


def _find_seen(request: HttpRequest) -> list[Any]:
    return recent.find_seen(request) if request.user.has_perm("accounts.view_user") else []


def _find_by_words(request: HttpRequest, text: str) -> dict[str, Any]:
    knowledge = search.read_knowledge()
    asked = search.read(text, knowledge.now)
    found: dict[str, Any] = {}
    if asked.is_of_people and request.user.has_perm("accounts.view_user"):
        people = _cut(request.GET, "people", *search.find_people(asked))
        found |= {"people": people, "persons": search.read_people(people.ids)}
    if asked.is_of_movements:
        ids, is_cut = search.find_movements(asked)
        visible = [
            pair for pair in ids if request.user.has_perm(KINDS["holds" if pair[1] else "transactions"][0])
        ]
        movements = _cut(request.GET, "movements", visible, is_cut)
        found |= {"movements": movements, "moved": search.read_movements(movements.ids)}
    return {
        **found,
        "purses_shown": PURSES_SHOWN,
        "knowledge": knowledge,
        "is_behind": knowledge.behind_seconds > BEHIND_SECONDS,
        "is_nothing": not found.get("persons") and not found.get("moved"),
    }


def _cut(query: QueryDict, name: str, ids: Sequence[Any], is_cut: bool) -> Part:
    """The page of the ids that the query names; the last one, if there are not so many."""
    asked = query.get(name, "")
    last = max(0, (len(ids) - 1) // SHOWN)
    page = min(int(asked), last) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else 0

    def address(number: int) -> str:
        others = query.copy()
        others[name] = str(number)
        return f"?{others.urlencode()}"

    return Part(
        ids[page * SHOWN : (page + 1) * SHOWN],
        page * SHOWN + 1,
        len(ids),
        is_cut,
        address(page - 1) if page else "",
        address(page + 1) if page < last else "",
    )


def _find_by_key(request: HttpRequest, form: KeyForm) -> dict[str, Any]:
    asked = form.cleaned_data
    access.record(request, Action.SEARCH, "find", words=f"{asked['caller']} {asked['key']}")
    caller = queries.find_caller(asked["caller"], parse_id(asked["caller"]))
    if caller is None:
        form.add_error("caller", _("Nobody has this user name or id."))
        return {}
    try:
        id = idempotency.derive_id(caller.id, asked["key"])
    except IdempotencyKeyInvalid as error:
        form.add_error("key", _(error.detail))
        return {}
    return {"id": id, "caller": caller, "found": _keep_visible(request, find_by_id(id))}


def _keep_visible(request: HttpRequest, found: Found) -> Found:
    """Without the kinds of things that this person may not see."""
    return Found(
        **{
            kind: getattr(found, kind)
            for kind, (permission, _page) in KINDS.items()
            if request.user.has_perm(permission)
        }
    )


def _find_only_page(found: Found) -> str | None:
    """The address of the page of what was found; None unless that is exactly one thing."""
    pages = [
        reverse(f"admin:{page}_change", args=[obj.pk])
        for kind, (_permission, page) in KINDS.items()
        for obj in getattr(found, kind)
    ]
    return pages[0] if len(pages) == 1 else None


OfficeSite.pages += [("find/", find, "find"), ("find/recent/", show_recent, "find_recent")]
