"""What staff are told of something that is not there: in a ledger, hardly because it was deleted."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

ID_LENGTH_SHOWN = 60


def lead_to_list(request: HttpRequest, opts: Any, id: str) -> HttpResponseRedirect:
    """Leads to the list of the model, and says there that nothing has this id."""
    shown = id if len(id) <= ID_LENGTH_SHOWN else f"{id[:ID_LENGTH_SHOWN]}…"
    text = _("Not found: %(name)s “%(id)s”. Look whether the whole id was copied, and nothing else.")
    messages.warning(request, text % {"name": opts.verbose_name, "id": shown})
    return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))
