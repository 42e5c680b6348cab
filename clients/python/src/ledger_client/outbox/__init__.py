"""A Django outbox: what you want done with money is a row of your own transaction, sent until it is answered.

    with transaction.atomic():
        order.save()
        outbox.intend(commands.withdraw(id=new_id(), user=order.customer, amount=order.price))

`INSTALLED_APPS` has `ledger_client.outbox`, `manage.py send_money_intents` runs beside your server, and
your settings say where the ledger is: see `outbox.settings`. There is no intent without your transaction,
and none of yours without its intent; each becomes one command of the ledger's, whoever is killed when.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger_client.outbox.intents import intend
    from ledger_client.outbox.statistics import Statistics, measure

__all__ = ["Statistics", "intend", "measure"]
MODULES = {"intend": "intents", "measure": "statistics", "Statistics": "statistics"}


def __getattr__(name: str) -> Any:
    """Late: the models may be imported when the apps are ready."""
    if name not in MODULES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
