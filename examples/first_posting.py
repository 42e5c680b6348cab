"""The first own posting by the Python client, beside a ledger that `make run` has started."""

from pathlib import Path

from ledger_client import Ledger, commands, new_id

ledger = Ledger("http://localhost:8080", Path("var/api_token").read_text().strip())
petya = ledger.post(commands.create_user(name="petya", external_id="petya-1"))
payment_id = new_id()  # store it with your order, before the first try
print(ledger.post(commands.deposit(id=payment_id, user=petya.id, amount="100.00")))
