"""Texts as they are compared: small letters without accents, and only words.

By Python alone, since not every PostgreSQL has `unaccent` or `pg_trgm`.
"""

import re
import unicodedata

IGNORED = ("Mn", "Mc", "Me", "Cf")  # accents, other marks, joiners
# Letters that Unicode does not take apart, as people without them on their keyboard write them.
WRITTEN_AS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
APOSTROPHES = re.compile("['`\u00b4\u02b9\u02bb\u02bc\u2018\u2019]")  # within words
_between_words = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """The words of the text with a space between: `Łukasz D'Angelo-Müller` is `lukasz dangelo muller`."""
    letters = APOSTROPHES.sub("", text).casefold()
    if not letters.isascii():
        letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letters).casefold())
        letters = "".join(each for each in letters if unicodedata.category(each) not in IGNORED)
        letters = letters.translate(WRITTEN_AS)
    return _between_words.sub(" ", letters).strip()


def fold_address(text: str) -> str:
    """An e-mail address; its case means nothing to whoever sends to it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def find_digits(text: str) -> str:
    """The digits of the text, of any script."""
    return "".join(str(unicodedata.decimal(each)) for each in text if each.isdecimal())


def find_deletions(word: str) -> set[str]:
    """The word with one letter left out, each of them in turn."""
    return {word[:place] + word[place + 1 :] for place in range(len(word))}


def is_near(one: str, other: str) -> bool:
    """Whether one typing error turns one word into the other: a letter too many, too few, a wrong one, or two
    that changed places.
    """
    place = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return abs(len(one) - len(other)) <= 1
    a, b = one[place:], other[place:]
    swapped = a[:2] == b[1::-1] if len(b) > 1 else False
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (swapped and a[2:] == b[2:])
