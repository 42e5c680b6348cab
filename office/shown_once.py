"""The page of a secret that is shown once: a password, a token. It is in this answer and nowhere else."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def show_once(request: HttpRequest, *, title: str, secret: str, note: Any, goal: str) -> HttpResponse:
    """`goal` is where to go on from there."""
    context = {
        **admin.site.each_context(request),
        "title": title,
        "secret": secret,
        "note": note,
        "goal": goal,
    }
    return TemplateResponse(request, "admin/shown_once.html", context, headers={"Cache-Control": "no-store"})
