"""What staff can do to something: a button on its page, a form that asks why, one call of the domain."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from office.forms import CommandForm, ReasonForm
from office.models import Access


@dataclass(eq=False)
class Refusal(Exception):
    """What the domain refuses, in words for staff; `field` names the form's field it is about."""

    detail: str | Promise
    field: str | None = None


Run = Callable[[HttpRequest, Any, dict[str, Any]], str | HttpResponse]


@dataclass(frozen=True, kw_only=True)
class Command:
    """`run(request, subject, asked)` makes one call of the domain and says what was done: on the page it came
    from, or on a page of its own, if it answers with one. A command of a list has None as its subject.

    It runs in one database transaction with its line in the access log, unless `is_atomic` is False: then
    the line is written first. It raises `Refusal` for what the domain refuses.
    """

    name: str  # the last part of the address
    label: Promise
    permission: str
    run: Run
    form: type[CommandForm] = ReasonForm
    applies: Callable[[Any], bool] = field(default=lambda subject: True)
    note: Promise | str = ""
    tell: Callable[[dict[str, Any]], str] = field(default=lambda asked: "")  # for the log, of what was asked
    is_dangerous: bool = False
    is_atomic: bool = True

    def is_for(self, request: HttpRequest, subject: Any) -> bool:
        """Whether its button is shown."""
        return request.user.has_perm(self.permission) and self.applies(subject)


def run(
    command: Command,
    request: HttpRequest,
    subject: Any,
    *,
    of: str,
    goal: str,
    context: dict[str, Any],
    key: str = "pk",
) -> HttpResponse:
    """The page of a command to the subject, a model named `of`. `goal` is where it leads to, done or not.

    `key` is the attribute of the subject that the log names it by.
    """
    if not request.user.has_perm(command.permission):
        raise PermissionDenied
    form = command.form(request.POST if request.method == "POST" else None)
    form.fill(subject)
    if form.is_valid():
        try:
            done = _do(command, request, subject, of, key, form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal.detail))
        except OperationalError:
            form.add_error(None, _("Others are working on this. Send it again."))
        else:
            if isinstance(done, HttpResponse):
                return done
            messages.success(request, done)
            return HttpResponseRedirect(goal)
    if not command.applies(subject) and request.method != "POST":
        messages.warning(request, _("This is not possible any more."))
        return HttpResponseRedirect(goal)
    return TemplateResponse(
        request,
        "admin/command.html",
        {**context, "title": command.label, "command": command, "form": form, "goal": goal},
        status=422 if request.method == "POST" else 200,
    )


def _do(
    command: Command, request: HttpRequest, subject: Any, of: str, key: str, asked: dict[str, Any]
) -> str | HttpResponse:
    record = partial(
        Access.record,
        request,
        Access.Action.CHANGE,
        of,
        "" if subject is None else getattr(subject, key),
        detail=f"{command.name} {command.tell(asked)}".strip(),
        reason=asked.get("reason", ""),
    )
    if not command.is_atomic:
        record()
        return command.run(request, subject, asked)
    with atomic():
        done = command.run(request, subject, asked)
        record()
    return done


def show_once(request: HttpRequest, *, title: str, secret: str, note: Any, goal: str) -> HttpResponse:
    """The page of a secret, a password or a token: it is in this answer and nowhere else.

    `goal` is where to go on from there.
    """
    return TemplateResponse(
        request,
        "admin/shown_once.html",
        {**admin.site.each_context(request), "title": title, "secret": secret, "note": note, "goal": goal},
        headers={"Cache-Control": "no-store"},
    )
