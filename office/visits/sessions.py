"""Sessions of the back office: the database has a hash of each key, so that its copy lets nobody in."""

from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

KEY_LENGTH = 40  # of the column: 160 bits of the hash


class SessionStore(db.SessionStore):
    """Django's, in the database. The key itself is in the cookie alone."""

    def load(self) -> dict[str, Any]:
        live = self.model.objects.filter(expire_date__gt=timezone.now())
        if self.session_key and (kept := live.filter(session_key=hash_key(self.session_key)).first()):
            return self.decode(kept.session_data)
        self._session_key = None
        return {}

    def exists(self, session_key: str) -> bool:
        return super().exists(hash_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        made = super().create_model_instance(data)
        made.session_key = hash_key(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            super().delete(hash_key(key))


def hash_key(key: str) -> str:
    """As the database has it."""
    return sha256(key.encode()).hexdigest()[:KEY_LENGTH]


def read_ended(session_key: str) -> dict[str, Any]:
    """What was in the session of that key, if its time is over; of any other, and a cleared one, nothing."""
    store = SessionStore()
    over = store.model.objects.filter(expire_date__lte=timezone.now())
    ended = over.filter(session_key=hash_key(session_key)).first() if session_key else None
    return store.decode(ended.session_data) if ended else {}
