"""Sending intents until they are answered."""

import logging
import random
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ledger_client.commands import Command
from ledger_client.ledger import Ledger
from ledger_client.outbox import settings
from ledger_client.outbox.models import MoneyIntent
from ledger_client.problems import Refused, Unanswered
from ledger_client.wire import Resource

PAUSE_SECONDS = 1.0  # doubled from attempt to attempt
PAUSE_SECONDS_MAX = 60.0
ERROR_LENGTH_MAX = 1000
# Refusals that say nothing of the command: an operator has to do something, and then it goes on.
OF_THE_CALLER = {401, 403, 405}
OF_THE_ADDRESS = {"host_not_allowed", "bad_request", "no_such_address"}
logger = logging.getLogger("ledger_client")


def send_due(ledger: Ledger, *, limit: int = 1000) -> int:
    """Send what is due, one after the other; how many were tried. Several may do it at the same time."""
    for number in range(limit):
        if not send_next(ledger):
            return number
    return limit


def send_next(ledger: Ledger) -> bool:
    """Send one intent that nobody else is sending; whether there was one.

    The row is locked while the ledger is asked. Whoever is killed here leaves it as it was: it is sent
    again, and answered as the first time. Its hook is called in the transaction that keeps the answer: if
    that fails, nothing of it was, and it is called again.
    """
    using = settings.get_database()
    with transaction.atomic(using=using, durable=True):
        intent = find_due(using).select_for_update(skip_locked=True, of=("self",)).first()
        if intent is None:
            return False
        command = Command(path=intent.path, body=intent.body, kind=Resource)
        try:
            answer = ledger.send(command)
        except Unanswered as unanswered:
            postpone(intent, str(unanswered), unanswered.retry_after)
        except Refused as refused:
            if refused.status in OF_THE_CALLER or refused.code in OF_THE_ADDRESS:
                postpone(intent, str(refused))
            else:
                keep(intent, MoneyIntent.Status.PARKED, problem=refused.problem)
        else:
            keep(intent, MoneyIntent.Status.DONE, answer=answer)
    return True


def find_due(using: str) -> QuerySet[MoneyIntent]:
    """What may be sent now: the first of each line, and all that stand in none; the oldest first."""
    waiting = MoneyIntent.objects.using(using).filter(status=MoneyIntent.Status.WAITING)
    earlier = waiting.filter(line=OuterRef("line"), number__lt=OuterRef("number"))
    due = waiting.filter(next_attempt_at__lte=timezone.now()).exclude(~Q(line="") & Exists(earlier))
    return due.order_by("number")


def keep(intent: MoneyIntent, status: MoneyIntent.Status, **said: object) -> None:
    """The answer, with what the application makes of it."""
    intent.status, intent.answered_at, intent.last_error = status, timezone.now(), ""
    for name, value in said.items():
        setattr(intent, name, value)
    try:
        with transaction.atomic(using=intent._state.db):
            intent.save(update_fields=["status", "answered_at", "last_error", *said])
            hook = settings.get_hook("ON_DONE" if status == MoneyIntent.Status.DONE else "ON_REFUSED")
            if hook is not None:
                hook(intent)
    except Exception as error:
        logger.exception("%s was answered, and what is to follow has failed", intent)
        intent.refresh_from_db()
        postpone(intent, f"{type(error).__name__}: {error}")


def postpone(intent: MoneyIntent, error: str, retry_after: float = 0) -> None:
    """Nothing is known: the same again later."""
    intent.attempts += 1
    pause = min(PAUSE_SECONDS * 2 ** min(intent.attempts - 1, 10), PAUSE_SECONDS_MAX)
    pause = max(pause * random.uniform(0.5, 1.5), retry_after)  # noqa: S311, not a secret
    intent.next_attempt_at = timezone.now() + timedelta(seconds=pause)
    intent.last_error = clean(error)
    intent.save(update_fields=["attempts", "next_attempt_at", "last_error"])
    logger.warning("%s: attempt %d: %s", intent, intent.attempts, intent.last_error)


def clean(text: str) -> str:
    """As a database takes it, whatever a stranger has answered."""
    return text.replace("\0", "").encode(errors="replace").decode()[:ERROR_LENGTH_MAX]
