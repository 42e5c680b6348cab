"""What somebody typed into the form of a command when their session had ended: after the login it is there.

It waits in the session that the login goes on with, encrypted for the person whose session had ended and for
the address of the form. Only whoever has the cookie of a session that was ended by its time has any kept.
"""

from contextlib import suppress

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from ledger import ciphers
from office.visits import sessions

UNSENT = "office_unsent"  # of the session
LENGTH_MAX = 16 * 1024  # of what a browser would send; our forms have some hundred characters


def keep(request: HttpRequest) -> None:
    """Keep the form of a command that nobody was logged in to send any more."""
    match = request.resolver_match
    if request.method != "POST" or match is None or "command" not in match.kwargs:
        return
    user_id = sessions.read_ended(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")).get(SESSION_KEY)
    form = request.POST.copy()
    form.pop("csrfmiddlewaretoken", None)
    text = form.urlencode()
    if user_id and len(text) <= LENGTH_MAX:
        purpose = _name_purpose(user_id, request.path)
        request.session[UNSENT] = ciphers.encrypt(purpose, text.encode(), [settings.SECRET_KEY])


def take(request: HttpRequest) -> QueryDict | None:
    """What this person had typed into this form, once; None if nothing. They are told that it was kept."""
    kept = request.session.get(UNSENT)
    if kept is None:
        return None
    with suppress(ciphers.Undecipherable):
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        text = ciphers.decrypt(_name_purpose(request.user.pk, request.path), kept, keys)
        del request.session[UNSENT]
        messages.warning(
            request,
            _("Your session had ended, and nothing was done. What you typed is here: look, and send it."),
        )
        return QueryDict(text)
    return None


def _name_purpose(user_id: object, path: str) -> str:
    return f"unsent form of {user_id} at {path}"
