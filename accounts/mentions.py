"""Whether a text mentions a person: by a name, an external id or a value of metadata that they have or had.

Upper and lower case are the same here, and so are the two ways to write a letter with an accent. What is
long enough is looked for in the midst of a text, between other words. What is shorter, such as the name Anna,
would be found in what is about somebody else: only a whole text can be it. Of metadata e-mails and numbers of
six digits or more are looked for in texts, all other values (`gold`, `Kazan`) are whole texts only.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import Account, User
from events import texts
from events.models import Event

LENGTH_MIN = 5  # of what is looked for in the midst of a text
IDENTIFYING = re.compile(r"@|(?:\d\D?){6}")  # in a value of metadata
NAMES = ("name", "external_id", "metadata")
# Accounts' own names are no personal data; what else the events of a user tell is.
TELLING = ("data/name", "before/name", "data/external_id", "data/metadata", "before/metadata")


@dataclass(frozen=True, slots=True)
class Words:
    """What a person is mentioned by, folded: in the midst of texts, or as whole ones."""

    inside: frozenset[str]
    whole: frozenset[str]

    def are_in(self, text: str) -> bool:
        folded = fold(text)
        return folded.strip() in self.whole or any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", folded) for word in self.inside
        )

    def are_in_any(self, value: Any) -> bool:
        """Whether they are in a text of the value, which is as JSON has them; keys are none."""
        if isinstance(value, dict | list):
            return any(map(self.are_in_any, value.values() if isinstance(value, dict) else value))
        return isinstance(value, str) and self.are_in(value)

    @property
    def needles(self) -> list[str]:
        """Parts of the text of JSON in small letters, one of which is in every text that mentions the person;
        for SQL, which then finds too many: `strpos(lower(x::text), needle)`.
        """
        forms = {
            unicodedata.normalize(form, word) for word in self.inside | self.whole for form in ("NFC", "NFD")
        }
        return sorted(json.dumps(each, ensure_ascii=False)[1:-1] for each in forms)


def fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def find_words(user: User) -> Words:
    """By what the person may be mentioned, as told by all their events that were not erased."""
    told: dict[str, list[Any]] = {name: [getattr(user, name)] for name in NAMES}
    events = Event.objects.filter(stream=user.pk, text__isnull=False)
    for content in texts.read([event.text for event in events if event.text]).values():
        for place in TELLING:
            told[place.rpartition("/")[2]].append((content or {}).get(place))
    told["metadata"] += list_metadata(user.pk)
    names = {fold(name) for name in (*told["name"], *told["external_id"]) if name and name != texts.ERASED}
    values = {fold(value) for values in told["metadata"] if values for value in values.values()}
    inside = {name for name in names if len(name) >= LENGTH_MIN}
    inside |= {value for value in values if len(value) >= LENGTH_MIN and IDENTIFYING.search(value)}
    return Words(frozenset(_strip(inside)), frozenset(_strip(names | values)))


def list_metadata(user_id: UUID) -> list[dict[str, str]]:
    """Of their accounts as they are."""
    return list(Account.objects.filter(user=user_id).values_list("metadata", flat=True))


def _strip(words: Iterable[str]) -> set[str]:
    return {stripped for word in words if (stripped := word.strip())}
