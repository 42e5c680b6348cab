"""A shop with the Django outbox, in a process of its own that forks one for every order and every sending,
so that a kill costs milliseconds."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any, NoReturn
from uuid import UUID

from tests.faults.own_ledger import finish, fork

SECONDS_MAX = 120
IN_THE_TRANSACTION, AFTER_THE_COMMIT = "before the intent's commit", "after the intent's commit"
BEFORE_SENDING, AFTER_THE_ANSWER = "before the sending", "after the answer, before its commit"
AFTER_ITS_COMMIT = "after the answer's commit"


@dataclass(frozen=True)
class Settings:
    host: str  # of its PostgreSQL
    url: str
    token: str
    makes_new_ids: bool  # what it must not do: so that it is seen that this is found


@dataclass(frozen=True)
class Order:
    """One purchase, or with `is_refund` its opposite; who writes it dies at `death`."""

    account: UUID
    amount: Decimal
    is_refund: bool
    in_line: bool
    death: str | None = None


@dataclass(frozen=True)
class Sending:
    """Everything that is due. Who sends dies at `death`, at the first."""

    death: str | None = None


def serve(connection: Connection, settings: Settings) -> None:
    """Do what is asked for, each in a process of its own; answer with its exit code, negative for a
    signal."""
    configure(settings)
    from django.core.management import call_command

    finish(fork(call_command, "migrate", run_syncdb=True, verbosity=0), SECONDS_MAX)
    connection.send("ready")
    while (asked := connection.recv()) is not None:
        if asked == "state":
            connection.send(in_a_process(read_state))
        else:
            _, status = os.waitpid(fork(perform, asked, settings), 0)
            connection.send(os.waitstatus_to_exitcode(status))


def configure(settings: Settings) -> None:
    import django
    from django.conf import settings as of_django

    database = {"ENGINE": "django.db.backends.postgresql", "HOST": settings.host, "USER": "postgres"}
    of_django.configure(
        SECRET_KEY="of the chaos",
        USE_TZ=True,
        INSTALLED_APPS=["ledger_client.outbox", "shop"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {**database, "NAME": "postgres"}},
        LEDGER_OUTBOX={
            "URL": settings.url,
            "TOKEN": settings.token,
            "ON_DONE": "shop.money.on_done",
            "ON_REFUSED": "shop.money.on_refused",
            "PATIENCE_SECONDS": 0,
        },
        LOGGING_CONFIG=None,
    )
    django.setup()
    from ledger_client.outbox import sending

    sending.logger.setLevel(logging.CRITICAL)
    sending.PAUSE_SECONDS = sending.PAUSE_SECONDS_MAX = 0.2


def perform(asked: Order | Sending, settings: Settings) -> None:
    if isinstance(asked, Order):
        write(asked)
    else:
        send(asked.death, settings.makes_new_ids)


def write(asked: Order) -> None:
    from django.db import transaction
    from ledger_client import commands, new_id, outbox
    from shop.models import Order as Row

    command = commands.deposit if asked.is_refund else commands.withdraw
    with transaction.atomic():
        price = -asked.amount if asked.is_refund else asked.amount
        row = Row.objects.create(customer=asked.account, price=price, payment=new_id())
        wanted = command(id=row.payment, account=asked.account, amount=asked.amount)
        outbox.intend(wanted, in_line=asked.account if asked.in_line else None)
        if asked.death == IN_THE_TRANSACTION:
            die()
    if asked.death == AFTER_THE_COMMIT:
        die()


def send(death: str | None, makes_new_ids: bool) -> None:
    from ledger_client import new_id
    from ledger_client.outbox import settings
    from ledger_client.outbox.sending import send_next

    with settings.connect() as ledger:
        ask: Callable[..., Any] = ledger.send

        def ask_or_die(command: Any) -> Any:
            if death == BEFORE_SENDING:
                die()
            if makes_new_ids:
                command.body["id"] = str(new_id())
            answer = ask(command)
            if death == AFTER_THE_ANSWER:
                die()
            return answer

        ledger.send = ask_or_die
        while send_next(ledger):
            if death == AFTER_ITS_COMMIT:
                die()


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still here")


def read_state() -> dict[str, Any]:
    """What the shop has: its orders, and of its intents what the ledger has answered."""
    from ledger_client import outbox
    from ledger_client.outbox.models import MoneyIntent
    from shop.models import Order as Row

    return {
        "orders": list(Row.objects.values_list("payment", "customer", "price", "state", "told")),
        "intents": dict(MoneyIntent.objects.values_list("id", "status")),
        "waiting": outbox.measure().waiting,
    }


def in_a_process(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What it returns: this process has no connection to the database that a fork would share."""
    import pickle

    reader, writer = os.pipe()

    def tell() -> None:
        with os.fdopen(writer, "wb") as end:
            pickle.dump(read(), end)

    pid = fork(tell)
    os.close(writer)
    with os.fdopen(reader, "rb") as end:
        told: dict[str, Any] = pickle.load(end)  # noqa: S301, of our own process
    finish(pid, SECONDS_MAX)
    sys.stdout.flush()
    return told
