"""Finding what somebody asks about, by whatever they have: a name, an id, a reference, an Idempotency-Key."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


def find(request: HttpRequest) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": _("Find")}
    return TemplateResponse(request, "admin/find.html", context)
