"""django-hordak in process: a deposit or withdrawal is its own `transfer_to` between an account and the cash.

`python -m benchmarks.contestants.hordak_ledger prepare ACCOUNTS` makes the tables and that many accounts. To
`… run` each line with a number of seconds on standard input is answered by a line of JSON.
"""

import json
import os
import random
import sys
import time

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of a benchmark",  # noqa: S106
    USE_TZ=True,
    DEFAULT_CURRENCY="USD",
    HORDAK_CURRENCIES=["USD"],
    HORDAK_INTERNAL_CURRENCY="USD",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "mptt",
        "django_extensions",
        "hordak",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "CONN_MAX_AGE": 600,
        }
    },
)
django.setup()

from django.core.management import call_command
from django.db.transaction import atomic
from hordak.models import Account, AccountType
from moneyed import Money


def prepare(count: int) -> None:
    """The cash and the users' accounts."""
    call_command("migrate", verbosity=0)
    Account.objects.create(name="cash", type=AccountType.asset, currencies=["USD"])
    for number in range(count):
        Account.objects.create(name=str(number), type=AccountType.liability, currencies=["USD"])


def post(cash: Account, ids: list[int]) -> None:
    with atomic():
        account = Account.objects.get(pk=random.choice(ids))  # noqa: S311
        if random.random() < 0.5:  # noqa: S311
            cash.transfer_to(account, Money(1, "USD"), description="bench")
        else:
            account.transfer_to(cash, Money(1, "USD"), description="bench")


def run(cash: Account, ids: list[int], seconds: float) -> dict[str, float]:
    times: list[float] = []
    while sum(times) < seconds:
        began = time.perf_counter()
        post(cash, ids)
        times.append(time.perf_counter() - began)
    times.sort()
    p50, p99 = (1000 * times[len(times) * part // 100] for part in (50, 99))
    return {"count": len(times), "rate": len(times) / sum(times), "p50": p50, "p99": p99}


def main(command: str, *arguments: str) -> None:
    if command == "prepare":
        prepare(int(arguments[0]))
        return
    cash = Account.objects.get(type=AccountType.asset)
    ids = list(Account.objects.filter(type=AccountType.liability).values_list("pk", flat=True))
    for line in sys.stdin:
        print(json.dumps(run(cash, ids, float(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
