"""`LEDGER_OUTBOX` of Django's settings:

LEDGER_OUTBOX = {
    "URL": "https://ledger.internal",
    "TOKEN": "...",                        # or "TOKEN_FILE": a path, which is read again for every try
    "ON_DONE": "shop.money.on_done",       # optional: called with the intent
    "ON_REFUSED": "shop.money.on_refused", # optional: called with the intent, and the problem in it
    "PATIENCE_SECONDS": 5,                 # of one attempt; an intent is sent for ever
    "DATABASE": "default",                 # where the intents are
}
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ledger_client.ledger import Ledger

PATIENCE_SECONDS = 5
NAMES = {"URL", "TOKEN", "TOKEN_FILE", "ON_DONE", "ON_REFUSED", "PATIENCE_SECONDS", "DATABASE"}


def get(name: str, default: Any = None) -> Any:
    """Raises `ImproperlyConfigured` for a name that there is not, among those that are set."""
    chosen = getattr(settings, "LEDGER_OUTBOX", {})
    if unknown := chosen.keys() - NAMES:
        raise ImproperlyConfigured(f"LEDGER_OUTBOX knows no {', '.join(sorted(unknown))}.")
    return chosen.get(name, default)


def get_database() -> str:
    return str(get("DATABASE", "default"))


def get_hook(name: str) -> Callable[[Any], object] | None:
    path = get(name)
    return import_string(path) if path else None


def connect() -> Ledger:
    """Raises `ImproperlyConfigured`."""
    url, token, file = get("URL"), get("TOKEN"), get("TOKEN_FILE")
    if not url or not (token or file):
        raise ImproperlyConfigured("LEDGER_OUTBOX needs a URL, and a TOKEN or a TOKEN_FILE.")
    chosen = token or (lambda: Path(file).read_text().strip())
    return Ledger(url, chosen, patience=get("PATIENCE_SECONDS", PATIENCE_SECONDS))
