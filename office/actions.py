"""What staff can do to something: a button on its page, a form that asks why, one call of the domain."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from ledger.text import Rule
from office import access
from office.access import DETAIL_LENGTH_MAX, Action
from office.confirming.foreseeing import Foreseen
from office.explanations import REFUSED, explain_refusal
from office.forms import TextField
from office.templatetags.ledger import NOTHING
from office.visits import unsent


class CommandForm(forms.Form):
    """What a command asks for. Labels and initial values may come from the object it is done to (`fill`).

    The first visible field has the focus.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Not by `visible_fields`, which would keep labels as they are before `fill`.
        widgets = [each.widget for each in self.fields.values() if not each.widget.is_hidden]
        for number, widget in enumerate(widgets):
            widget.attrs["autofocus"] = number == 0

    def fill(self, obj: Any) -> None:
        """Called before the form is shown: `obj` is what the command is done to, None for one of a list."""

    @property
    def asks_for_more(self) -> bool:
        """Than a reason."""
        return any(name != "reason" and not each.widget.is_hidden for name, each in self.fields.items())

    def read_asked(self) -> dict[str, Any]:
        """What it says, by its fields: None where it says nothing, or nothing that can be. A reason that is
        still missing is a dash."""
        asked: dict[str, Any] = dict.fromkeys(self.fields)
        if self.is_bound:
            self.is_valid()
            asked |= self.cleaned_data
        else:
            for name, each in self.fields.items():
                with suppress(ValidationError):
                    asked[name] = each.clean(self.get_initial_for_field(each, name))
        if "reason" in asked:
            asked["reason"] = asked["reason"] or NOTHING
        return asked


class ReasonForm(CommandForm):
    """Asks why; the reason is kept in the access log, and with what is changed."""

    reason = TextField(
        rule=Rule.NOTE,
        label=_("Reason"),
        max_length=DETAIL_LENGTH_MAX,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )


class IdentityForm(ReasonForm):
    """For a command that is done once, however often it is sent: the form has the id of what it makes."""

    identity = forms.UUIDField(widget=forms.HiddenInput, initial=uuid_utils.compat.uuid7)


@dataclass(frozen=True, kw_only=True)
class Command:
    """`run(request, obj, asked)` makes one call of the domain, with what the form asked for.

    It returns what is said of it on the page it came from, or None to say `done`, or an answer of its own. A
    command of a list has None as its `obj`. What the domain refuses is shown in the form, and so is Django's
    `ValidationError`, which is for what the command itself refuses.

    It runs in one database transaction with its line in the access log, unless `is_atomic` is False: then
    the line is written first. What the domain itself writes into the record, with the reason, `is_recorded`
    there and has no second line.
    """

    name: str  # the last part of the address
    label: Promise
    permission: str
    run: Callable[[HttpRequest, Any, dict[str, Any]], str | HttpResponse | None]
    done: Promise | str = ""
    form: type[CommandForm] = ReasonForm
    may_give: Callable[[HttpRequest, Any], bool] = field(default=lambda request, obj: True)
    applies: Callable[[Any], bool] = field(default=lambda obj: True)
    note: Promise | str = ""
    log_message: Callable[[dict[str, Any]], str] = field(default=lambda asked: "")  # of what was asked for
    # What is confirmed, as labels and values: its page shows it, and what `foresee` makes of what is asked.
    # Of a form that is not filled in yet the values are those that it begins with, or None.
    facts: Callable[[Any], Iterable[tuple[Any, Any]]] = field(default=lambda obj: ())
    foresee: Callable[[HttpRequest, Any, dict[str, Any]], Foreseen] | None = None
    is_dangerous: bool = False
    is_atomic: bool = True
    is_recorded: bool = False

    def is_allowed(self, request: HttpRequest, obj: Any) -> bool:
        """Whether this person may give it: they have its permission, and `may_give` does not exclude them."""
        return request.user.has_perm(self.permission) and self.may_give(request, obj)

    def is_for(self, request: HttpRequest, obj: Any) -> bool:
        """Whether its button is shown."""
        return self.is_allowed(request, obj) and self.applies(obj)


def run(
    command: Command,
    request: HttpRequest,
    obj: Any,
    *,
    of: str,
    success_url: str,
    context: dict[str, Any],
    key: str = "pk",
    owner: UUID | None = None,
) -> HttpResponse:
    """The page of a command to `obj`, whose model is named `of`: its form, or what came of it.

    `success_url` is where it leads to when it is done, cancelled or not possible any more. `key` is the
    attribute that the log names `obj` by, `owner` the user whom it is about.
    """
    if not command.is_allowed(request, obj):
        raise PermissionDenied
    is_sent = request.method == "POST"
    form = command.form(request.POST if is_sent else unsent.take(request))
    form.fill(obj)
    is_check = is_sent and "check" in request.POST
    if is_sent and not is_check and form.is_valid():
        try:
            done = _do(command, request, obj, of, key, owner, form.cleaned_data)
        except REFUSED as error:
            text, name = explain_refusal(error)
            form.add_error(name if name in form.fields else None, text)
        except ValidationError as error:
            form.add_error(None, error)
        except OperationalError:
            form.add_error(None, _("Others are working on this. Send it again."))
        else:
            if isinstance(done, HttpResponse):
                return done
            messages.success(request, str(done or command.done))
            return HttpResponseRedirect(success_url)
    if not command.applies(obj) and not is_sent:
        messages.warning(request, _("This is not possible any more."))
        return HttpResponseRedirect(success_url)
    if obj is not None and request.method == "GET":
        access.record(request, Action.VIEW, of, getattr(obj, key), detail=command.name)
    return TemplateResponse(
        request,
        "admin/command.html",
        {
            **context,
            "title": command.label,
            "command": command,
            "form": form,
            "success_url": success_url,
            "facts": [] if obj is None else list(command.facts(obj)),
            "foreseen": _foresee(command, request, obj, form),
            "may_check": command.foresee is not None and form.asks_for_more,
        },
        status=422 if is_sent and not is_check else 200,
    )


def _foresee(command: Command, request: HttpRequest, obj: Any, form: CommandForm) -> Foreseen | None:
    """What would come of what the form says, as far as it does."""
    if command.foresee is None:
        return None
    try:
        return command.foresee(request, obj, form.read_asked())
    except REFUSED as error:
        text, _field = explain_refusal(error)
        return Foreseen(refusal=text)
    except OperationalError:
        return Foreseen(refusal=_("What would come of it cannot be told at this moment."))


def _do(
    command: Command,
    request: HttpRequest,
    obj: Any,
    of: str,
    key: str,
    owner: UUID | None,
    asked: dict[str, Any],
) -> str | HttpResponse | None:
    record = partial(
        access.record,
        request,
        Action.CHANGE,
        of,
        "" if obj is None else getattr(obj, key),
        owner=owner,
        detail=f"{command.name} {command.log_message(asked)}".strip(),
        reason=asked.get("reason", ""),
    )
    if not command.is_atomic:
        record()
        return command.run(request, obj, asked)
    with atomic():
        done = command.run(request, obj, asked)
        if command.is_recorded:
            access.count(Action.CHANGE, of)
        else:
            record()
    return done


def show_once(request: HttpRequest, *, title: str, secret: str, note: Any, success_url: str) -> HttpResponse:
    """The page of a secret, a password or a token: it is in this answer and nowhere else.

    `success_url` is where its link leads on to.
    """
    return TemplateResponse(
        request,
        "admin/shown_once.html",
        {
            **admin.site.each_context(request),
            "title": title,
            "secret": secret,
            "note": note,
            "success_url": success_url,
        },
        headers={"Cache-Control": "no-store"},
    )
