"""What the settings must be before anything starts, and what the accounts want of them.

`manage.py check` names all that is wrong, with `--database default` of the accounts too. `serve` refuses to
start over it, and `/readyz` is 503. What cannot be read at all is refused by the settings themselves
(`ledger_project.environment`). No message has a key or an address in it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks

from accounts.currencies import CODE, DECIMALS_MAX, find_decimals, find_iso_decimals
from events.delivery import can_be_opened
from ledger_project.database import currencies

OF_SETTINGS = "settings"  # the tag of what asks no database
KEYS = ("SECRET_KEY", "CHAIN_KEY", "WEBHOOK_KEY", "ANCHOR_KEY", "SECOND_FACTOR_KEY")
KEY_BYTES_MIN = 32
KEY_CHARACTERS_MIN = 8  # different ones
# As they begin
KNOWN_KEYS = ("django-insecure-", "at least ", "older chain keys", "an older SECRET_KEY", "an older key")
LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(
    rf"\.?({LABEL}\.)*(?![0-9]){LABEL}"
)  # as urls have them: the last part begins with a letter


def find_errors(*tags: str, databases: Sequence[str] = ()) -> list[CheckMessage]:
    """What the checks with these tags do not let pass."""
    found = run_checks(tags=list(tags), databases=list(databases))
    return [each for each in found if each.is_serious() and not each.is_silenced()]


def describe(errors: Iterable[CheckMessage]) -> str:
    """A line for each."""
    return "\n".join(f"({error.id}) {error.msg}" for error in errors)


@register(OF_SETTINGS)
def check_keys(**options: Any) -> Iterator[CheckMessage]:
    embedded = set(_read_embedded_keys()) if settings.EMBEDDED_POSTGRES is None else set()
    seen: dict[str, str] = {}
    for name, key in _list_keys():
        if key.startswith(KNOWN_KEYS):
            yield Error(f"{name} is an example that everybody knows: make one at random.", id="ledger.E004")
        elif len(key.encode()) < KEY_BYTES_MIN or len(set(key)) < KEY_CHARACTERS_MIN:
            yield _refuse_weak(name)
        if name in KEYS and key in embedded:
            message = f"{name} is that of the embedded database in LEDGER_VAR: make another."
            yield Error(message, id="ledger.E004")
        if key in seen:
            message = f"{name} is the same as {seen[key]}: make another, each must be of its own."
            yield Error(message, id="ledger.E005")
        seen.setdefault(key, name)


def _refuse_weak(name: str) -> CheckMessage:
    if name == "CHAIN_KEY_FALLBACKS":  # without it the rows of then could not be verified any more
        message = f"{name} has a weak key: who guesses it can forge the rows that were hashed with it."
        return Warning(message, id="ledger.W003")
    message = f"{name} must be {KEY_BYTES_MIN} random bytes or more: make one (openssl rand -base64 48)."
    return Error(message, id="ledger.E003")


def _list_keys() -> Iterator[tuple[str, str]]:
    for name in KEYS:
        yield name, getattr(settings, name)
        for older in getattr(settings, f"{name}_FALLBACKS", ()):
            yield f"{name}_FALLBACKS", older


def _read_embedded_keys() -> Iterator[str]:
    """Those that were made when an embedded database was first started here, if ever one was."""
    for name in KEYS:
        with suppress(OSError):
            yield (settings.VAR / name.lower()).read_text()


@register(OF_SETTINGS)
def check_currencies(**options: Any) -> Iterator[CheckMessage]:
    """Codes, decimals, and the default among them."""
    for code in settings.CURRENCIES:
        if not CODE.fullmatch(code):
            yield _refuse_code("CURRENCIES", code)
        elif code not in settings.CUSTOM_CURRENCIES and find_iso_decimals(code) is None:
            has = f"CURRENCIES has {code}, to which ISO 4217 gives no decimals"
            yield Error(f"{has}: take it out, or declare it in CUSTOM_CURRENCIES.", id="ledger.E007")
    for code, decimals in settings.CUSTOM_CURRENCIES.items():
        iso = find_iso_decimals(code)
        gives = f"CUSTOM_CURRENCIES gives {code} {decimals} decimals"
        if not CODE.fullmatch(code):
            yield _refuse_code("CUSTOM_CURRENCIES", code)
        elif not 0 <= decimals <= DECIMALS_MAX:
            yield Error(f"{gives}: it must be 0 to {DECIMALS_MAX}, no more are kept.", id="ledger.E008")
        elif iso not in (None, decimals):
            wanted = "take it out, or declare a code of your own."
            yield Error(f"{gives} and ISO 4217 gives it {iso}: {wanted}", id="ledger.E009")
    if settings.DEFAULT_CURRENCY not in {*settings.CURRENCIES, *settings.CUSTOM_CURRENCIES}:
        default = f"DEFAULT_CURRENCY is {settings.DEFAULT_CURRENCY!r}"
        yield Error(f"{default}: it must be in CURRENCIES or CUSTOM_CURRENCIES.", id="ledger.E010")


def _refuse_code(name: str, code: str) -> CheckMessage:
    message = f"{name} has {code!r}: write 2 to 12 capital letters and digits that begin with a letter."
    return Error(message, id="ledger.E006")


@register(OF_SETTINGS)
def check_approvals(**options: Any) -> Iterator[CheckMessage]:
    """That nobody believes in a limit that is none."""
    for code, amount in settings.APPROVAL_ABOVE.items():
        decimals = find_decimals(code)
        if decimals is None:
            message = f"APPROVAL_ABOVE has {code!r}, which is no currency of this ledger: take it out."
            yield Error(message, id="ledger.E011")
        elif amount < 0 or amount != round(amount, decimals):
            message = (
                f"APPROVAL_ABOVE has {code}={amount}: it must be 0 or more, with up to {decimals} decimals."
            )
            yield Error(message, id="ledger.E012")


@register(OF_SETTINGS)
def check_audits(**options: Any) -> Iterator[CheckMessage]:
    """That the audits that the relay begins can be noted: the service's role may not."""
    if settings.AUDIT_EVERY_MINUTES and settings.EMBEDDED_POSTGRES is None and not settings.AUDIT_DATABASE:
        message = "AUDIT_EVERY_MINUTES is set, and AUDIT_DATABASE_URL is not: give it the maintenance role's."
        yield Error(message, id="ledger.E015")


@register(OF_SETTINGS)
def check_webhooks(**options: Any) -> Iterator[CheckMessage]:
    """That what they may call of one's own network is one's own."""
    for network in settings.WEBHOOK_ALLOWED_NETWORKS:
        if not can_be_opened(network):
            has = f"WEBHOOK_ALLOWED_NETWORKS has {network}, which is not inside of one private network"
            yield Error(f"{has}: take it out. Public addresses are called without it.", id="ledger.E016")
    for name in settings.WEBHOOK_ALLOWED_HOSTS:
        if not HOST.fullmatch(name):
            wanted = "write ads.example.com, or .example.com for all hosts below it, and no address."
            yield Error(f"WEBHOOK_ALLOWED_HOSTS has {name!r}: {wanted}", id="ledger.E017")


@register(Tags.database)
def check_accounts(databases: Sequence[str] | None = None, **options: Any) -> Iterator[CheckMessage]:
    """Every currency of an existing account, and the decimals of what is on it."""
    if databases and currencies.has_accounts():
        yield from check_used()
        yield from _check_decimals(currencies.find_used())


def check_used() -> Iterator[CheckMessage]:
    """That the currencies of accounts are known: a look-up for each, however many accounts there are."""
    for code in currencies.find_used():
        if find_decimals(code) is None:
            has = f"There are accounts in {code}, and nothing says how many decimals it has"
            yield Error(f"{has}: declare it in CUSTOM_CURRENCIES as it was.", id="ledger.E013")


def check_units() -> Iterator[CheckMessage]:
    """What `serve` wants of the accounts: that all are in known currencies, and that those in declared units,
    whose decimals are an operator's to change, have no finer amounts."""
    if currencies.has_accounts():
        yield from check_used()
        yield from _check_decimals(sorted(settings.CUSTOM_CURRENCIES))


def _check_decimals(codes: Sequence[str]) -> Iterator[CheckMessage]:
    for code, most, decimals in currencies.find_too_fine(codes):
        has = f"There are accounts in {code} with amounts of more decimals ({most}) than it has"
        yield Error(f"{has} ({decimals}): give it back those that it had.", id="ledger.E014")
