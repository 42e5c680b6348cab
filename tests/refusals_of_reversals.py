"""Requests that take back what cannot be taken back, for `tests/rest/test_every_code.py`."""

from accounts.models import Account


def reverse_twice(asker):
    id = asker.post().json()["id"]
    asker.post(amount="5")
    asker.reverse(id)
    return asker.reverse(id)


def reverse_too_little(asker):
    """A cent of two dollars that became one yen."""
    sent = {"user": str(asker.account.user_id), "currency": "JPY"}
    yen = Account(id=asker.client.post("/api/v1/accounts", sent).json()["id"])
    asker.post(amount="2")
    id = asker.transfer(yen, "2", destination_amount="1").json()["id"]
    return asker.reverse(id, amount="0.01")


PROVOKE = {
    "already_reversed": reverse_twice,
    "reversal_too_large": lambda a: a.reverse(a.post().json()["id"], amount="1.01"),
    "reversal_too_small": reverse_too_little,
    "not_reversible": lambda a: a.reverse(a.withdraw("1").json()["id"]),
}
