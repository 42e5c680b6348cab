"""The book itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, transaction

from ledger_client import feed
from ledger_client.inbox.models import Note, Place

LOCK = "lock"


class DjangoBook:
    """In the database `using`, where what `Consumer.apply` writes must be too. Of several processes one is
    at work at a time: the others wait for the end of its transaction."""

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using
        self.places, self.notes = Place.objects.using(using), Note.objects.using(using)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with transaction.atomic(using=self.using):
            self.notes.select_for_update().get_or_create(name=LOCK)
            yield

    def get_place(self, stream: UUID) -> feed.Place | None:
        row = self.places.filter(stream=stream).first()
        return None if row is None else feed.Place(row.epoch, row.sequence, row.is_account)

    def keep_place(self, stream: UUID, place: feed.Place) -> None:
        self.places.update_or_create(stream=stream, defaults=vars(place))

    def find_accounts(self) -> list[UUID]:
        return list(self.places.filter(is_account=True).order_by("stream").values_list("stream", flat=True))

    def recall(self, name: str) -> str | None:
        return self.notes.filter(name=name).values_list("value", flat=True).first()

    def remember(self, **notes: str | None) -> None:
        with self.transaction():
            for name, value in notes.items():
                self.notes.update_or_create(name=name, defaults={"value": value})
