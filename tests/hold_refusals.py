"""How each code about holds is provoked over HTTP; the others are in tests/rest/test_every_code.py."""

from tests.cast import new_id

HOLDS = "/api/v1/holds"


def captured_after_release(asker):
    asker.post()
    address = f"{HOLDS}/{asker.hold().json()['id']}"
    asker.client.post(f"{address}/release")
    return asker.client.post(f"{address}/capture", {"id": str(new_id())})


def shrunk_to_what_was_captured(asker):
    asker.post()
    address = f"{HOLDS}/{asker.hold().json()['id']}"
    capture = {"id": str(new_id()), "amount": "0.50", "final": False}
    asker.client.post(f"{address}/capture", capture)
    return asker.client.patch(address, {"amount": "0.50"})


PROVOKE = {
    "hold_not_open": captured_after_release,
    "amount_captured": shrunk_to_what_was_captured,
}
