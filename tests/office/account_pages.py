"""The page of an account, and random histories of one beside sums that nothing can be wrong about."""

import random
import re
from datetime import timedelta
from decimal import Decimal

from tests.cast import day, deposit, withdraw
from transactions.models import Transaction

PROBE = '<script>alert("1")</script>'
ESCAPED = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"


def find_address(account, page="change"):
    return f"/admin/accounts/account/{account.id}/{page}/"


def make_history(account, seed, count=40):
    """Deposits and withdrawals by chance, most of them late, some declined."""
    chance = random.Random(seed)
    for number in range(count):
        moment = day("2023-01-01") + timedelta(hours=chance.randrange(24 * 10))  # some at the same moment
        make = deposit if chance.random() < 0.7 else withdraw
        make(
            account,
            f"{chance.randint(1, 5000) / 100:.2f}",
            reference=f"row {number}",
            effective_at=None if chance.random() < 0.05 else moment,
        )
    return chance


def read_posted(account):
    """The posted rows in the order of their effect."""
    rows = Transaction.objects.filter(account=account, status="POSTED")
    return sorted(rows, key=lambda row: (row.effective_at, row.version))


def add_up(rows):
    return sum((row.change for row in rows), Decimal(0))


def list_references(html):
    return re.findall(r'<td class="office-reference">(?:<bdi>)?(.*?)(?:</bdi>)?</td>', html)


def look(client, account, **query):
    answer = client.get(find_address(account), query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def read_text(html):
    """What a reader sees, with plain spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
