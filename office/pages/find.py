"""Finding what somebody asks about, by whatever they have: a name, an id, a reference, an Idempotency-Key."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
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
from transactions.reading import search

LENGTH_MAX = 255  # nothing that can be looked for is longer
# What is found, the permission to see it, and its page.
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
        help_text=_("An id, an external id, a reference, or the start of a name"),
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


def find(request: HttpRequest) -> HttpResponse:
    """Two forms, one for a text and one for a key, and what was found by the one that was sent."""
    if not request.user.has_perm("accounts.view_account"):
        raise PermissionDenied
    by_key = "key" in request.GET or "caller" in request.GET
    text_form = TextForm(request.GET if request.GET.get("q", "").strip() and not by_key else None)
    key_form = KeyForm(request.GET if by_key else None)
    context = {
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
        id = parse_id(text)
        found = _keep_visible(request, search.find_by_words(text, id))
        if id and (page := _find_only_page(found)):
            return HttpResponseRedirect(page)
        context |= {"found": found}
    return TemplateResponse(request, "admin/find.html", context)


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
    return {"id": id, "caller": caller, "found": _keep_visible(request, search.find_by_id(id))}


def _keep_visible(request: HttpRequest, found: search.Found) -> search.Found:
    """Without the kinds of things that this person may not see."""
    return search.Found(
        **{
            kind: getattr(found, kind)
            for kind, (permission, _page) in KINDS.items()
            if request.user.has_perm(permission)
        }
    )


def _find_only_page(found: search.Found) -> str | None:
    """The address of the page of what was found; None unless that is exactly one thing."""
    pages = [
        reverse(f"admin:{page}_change", args=[obj.pk])
        for kind, (_permission, page) in KINDS.items()
        for obj in getattr(found, kind)
    ]
    return pages[0] if len(pages) == 1 else None


OfficeSite.pages.append(("find/", find, "find"))
