"""By what people and references are found: whole words, starts of words, words with a typing error, parts.

Each is a key, a number of 32 bits under PostgreSQL's own GIN, which take less space than texts. Other
texts may have the same key, so whatever is found is looked at again.

Typing errors are found from both sides (symmetric deletion): two words that one error tells apart have a
spelling in common, when each may leave out one letter.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from zlib import crc32

from transactions.search.folding import find_deletions

WORDS_MAX = 12  # of a name, by which it is found
LETTERS_MAX = 20  # of a word
ERRORS_FROM = 4  # letters of a word in which an error is forgiven
DIGITS_MIN, DIGITS_MAX = 4, 15  # of a phone number: its last ones
NATIONAL = 10  # the digits of a phone number that are the same, whatever stands for the country
PART = 3  # letters


def make_keys(kind: str, texts: Iterable[str]) -> set[int]:
    """Of the kind and each text, one after the other."""
    begun = crc32(kind.encode())
    return {crc32(text.encode(), begun) - 2**31 for text in texts}


def make_key(kind: str, text: str) -> int:
    [key] = make_keys(kind, [text])
    return key


def find_spellings(word: str) -> set[str]:
    """The word, and with one letter left out."""
    return {word, *find_deletions(word)}


def list_words(folded: str) -> list[str]:
    """Those of a name by which it is found."""
    return [word[:LETTERS_MAX] for word in folded.split()[:WORDS_MAX]]


def of_name(folded: str) -> set[int]:
    keys: set[int] = set()
    for word in list_words(folded):
        keys.add(of_word(word))
        keys |= {of_start(word[:length]) for length in range(1, len(word) + 1)}
        if len(word) >= ERRORS_FROM - 1:
            keys |= of_spellings(word)
    return keys


def of_word(word: str) -> int:
    return make_key("=", word[:LETTERS_MAX])


def of_start(word: str) -> int:
    return make_key("<", word[:LETTERS_MAX])


def of_spellings(word: str) -> set[int]:
    return make_keys("~", find_spellings(word[:LETTERS_MAX]))


def of_contact(folded: str) -> set[int]:
    """Of an e-mail address, whole and without its domain, or of the last digits of a phone number."""
    if "@" in folded:
        return {make_key("@", folded), make_key("@", folded.partition("@")[0])}
    return {make_key("#", folded[-length:]) for length in range(DIGITS_MIN, min(len(folded), DIGITS_MAX) + 1)}


def of_address(folded: str) -> int:
    return make_key("@", folded)


def of_digits(digits: str) -> set[int]:
    """As they are, and without a country's code."""
    return {make_key("#", digits[-length:]) for length in {min(len(digits), DIGITS_MAX), NATIONAL}}


def list_parts(text: str) -> set[str]:
    return {text[place : place + PART] for place in range(len(text) - PART + 1)}


def of_parts(folded: str, kind: str) -> set[int]:
    """Of all parts of a text of `kind`."""
    return make_keys(kind, list_parts(f" {folded} "))


def of_asked_parts(words: Iterable[str], kind: str) -> set[int]:
    """Which a text has that has these words in it; short ones where its own words start."""
    keys: set[int] = set()
    for word in words:
        text = word if len(word) >= PART else f" {word}"
        keys |= make_keys(kind, list_parts(text))
    return keys


def has_parts(folded: str, words: Iterable[str]) -> bool:
    """Whether the text has the words in it, as `of_asked_parts` asks for them."""
    text = f" {folded}"
    return all((word if len(word) >= PART else f" {word}") in text for word in words)


def number_quarter(moment: datetime) -> int:
    """The quarter of a year, by which parts of references are kept apart: so the newest are found first."""
    return moment.year * 4 + (moment.month - 1) // 3


def name_kind(quarter: int) -> str:
    return f"{quarter}:"


def of_person(*, name: str, external_id: str, contacts: Collection[str]) -> list[int]:
    """All of them folded."""
    keys = of_name(name)
    keys |= of_parts(external_id, "/") if external_id else set()
    for contact in contacts:
        keys |= of_contact(contact)
    return sorted(keys)


def of_reference(reference: str, quarter: int) -> list[int]:
    """The reference is folded."""
    return sorted(of_parts(reference, name_kind(quarter)))
