"""Who is told: webhooks, and the broker."""

from collections.abc import Sequence

from ledger_client.pages import Pages
from ledger_client.sending import Sender
from ledger_client.telling import Delivery, Subscription
from ledger_client.wire import Id, read, write_body


class Subscriptions:
    """`ledger.subscriptions`. To change them a token needs the group `api-admin`."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender

    def list(self) -> Pages[Subscription]:
        return Pages(
            lambda path, query: self.sender.send("GET", path, query=query), "/subscriptions", Subscription, {}
        )

    def get(self, id: Id) -> Subscription:
        return read(Subscription, self.sender.send("GET", f"/subscriptions/{id}"))

    def create_webhook(self, url: str, *, types: Sequence[str] = ()) -> Subscription:
        """Be told by being called; of all types, or of these. Known by its url: asked for again it is the
        same one, without its `secret`."""
        return self._create({"kind": "webhook", "url": url, "types": list(types)})

    def create_broker(self, *, types: Sequence[str] = ()) -> Subscription:
        """Have the ledger's broker told."""
        return self._create({"kind": "broker", "types": list(types)})

    def pause(self, id: Id) -> Subscription:
        return self._change(id, "pause")

    def resume(self, id: Id) -> Subscription:
        """Go on from its cursor at once, paused or disabled."""
        return self._change(id, "resume")

    def replay(self, id: Id, *, after: str | None = None) -> Subscription:
        """Tell it again from a cursor on; without, all that is kept."""
        body = write_body(after=after)
        return read(Subscription, self.sender.send("POST", f"/subscriptions/{id}/replay", body=body))

    def rotate_secret(self, id: Id) -> Subscription:
        """Another `secret`; for a day the last one signs too. Sent once: twice would end the one that you
        have. Raises `Unanswered` when its answer is lost; then rotate again, and use the new one at once."""
        return self._change(id, "rotate-secret", once=True)

    def test(self, id: Id) -> Delivery:
        """Send a `subscription.test` now."""
        return read(Delivery, self.sender.send("POST", f"/subscriptions/{id}/test", once=True))

    def delete(self, id: Id) -> None:
        """One that is not there is deleted."""
        self.sender.delete(f"/subscriptions/{id}")

    def _create(self, body: dict[str, object]) -> Subscription:
        return read(Subscription, self.sender.send("POST", "/subscriptions", body=body))

    def _change(self, id: Id, what: str, *, once: bool = False) -> Subscription:
        return read(Subscription, self.sender.send("POST", f"/subscriptions/{id}/{what}", once=once))
