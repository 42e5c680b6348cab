"""Texts that look like others or like nothing, each with the codes that refuse it; and texts that do not."""

from typing import NamedTuple

from ledger.text import Rule

INVALID, CONTROL, INVISIBLE = "invalid_text", "text_control_character", "text_invisible"
PADDED, OTHER_FORM = "text_padded", "text_not_normalized"


class Form(NamedTuple):
    """The codes are of an identifier, of a name and of a note; None: it is taken."""

    what: str
    text: str
    identifier: str
    name: str | None
    note: str | None
    is_for_the_database: bool = True  # whether it can have an identifier of this form, and refuses it

    def __str__(self) -> str:
        return self.what

    def find_code(self, rule: Rule) -> str | None:
        return {Rule.IDENTIFIER: self.identifier, Rule.NAME: self.name, Rule.NOTE: self.note}[rule]


FORMS = [
    Form("NUL", "a\0b", INVALID, INVALID, INVALID, False),
    Form("half of a surrogate pair", "a\ud800", INVALID, INVALID, INVALID, False),
    Form("no character", "a\ufdd0b", INVALID, INVALID, INVALID, False),
    Form("the last code point", "a\U0010ffff", INVALID, INVALID, INVALID, False),
    Form(
        "a character that only later versions of Unicode have",
        "a\U000105d2\u0307",
        INVALID,
        None,
        None,
        False,
    ),
    Form("a line end", "a\nb", CONTROL, CONTROL, None),
    Form("a tabulator", "a\tb", CONTROL, CONTROL, None),
    Form("a carriage return", "10.00\r99.00", CONTROL, CONTROL, CONTROL),
    Form("a terminal's escape", "\x1b[2J", CONTROL, CONTROL, CONTROL),
    Form("a deletion", "a\x7f", CONTROL, CONTROL, CONTROL),
    Form("a next line", "a\x85b", CONTROL, CONTROL, CONTROL),
    Form("a line separator", "a\u2028b", CONTROL, CONTROL, CONTROL),
    Form("an override to the left", "\u202e00.01", CONTROL, CONTROL, CONTROL),
    Form("an override at its end", "cust-1\u202e", CONTROL, CONTROL, CONTROL),
    Form("an embedding", "a\u202bb\u202c", CONTROL, CONTROL, CONTROL),
    Form("an isolate", "a\u2067b\u2069", CONTROL, CONTROL, CONTROL),
    Form("a mark to the left", "cust-1\u200f", CONTROL, CONTROL, CONTROL),
    Form("an Arabic mark", "cust\u061c-1", CONTROL, CONTROL, CONTROL),
    Form("a space", " ", INVISIBLE, INVISIBLE, INVISIBLE),
    Form("a no-break space", "\u00a0", INVISIBLE, INVISIBLE, INVISIBLE),
    Form("a zero width space", "\u200b", INVISIBLE, INVISIBLE, INVISIBLE),
    Form("a Hangul filler", "\u3164", INVISIBLE, INVISIBLE, INVISIBLE),
    Form("an empty Braille", "\u2800", INVISIBLE, INVISIBLE, INVISIBLE),
    Form("an accent on nothing", "\u0301", INVISIBLE, INVISIBLE, INVISIBLE, False),
    Form("a joiner of nothing", "\u200d", INVISIBLE, INVISIBLE, INVISIBLE),
    Form("a letter's accent before it", "\u0301cust", INVISIBLE, INVISIBLE, None, False),
    Form("a zero width space inside", "cust\u200b-1", INVISIBLE, INVISIBLE, None),
    Form("a byte order mark", "\ufeffcust-1", INVISIBLE, INVISIBLE, None),
    Form("a soft hyphen", "cu\u00adst-1", INVISIBLE, INVISIBLE, None),
    Form("a word joiner", "cust\u2060-1", INVISIBLE, INVISIBLE, None),
    Form("a joiner between Latin letters", "cu\u200dst-1", INVISIBLE, INVISIBLE, None),
    Form("a non-joiner at the end", "علي\u200c", INVISIBLE, INVISIBLE, None),
    Form("a variant of a Latin letter", "cust\ufe0f-1", INVISIBLE, INVISIBLE, None),
    Form("a tag", "cust-1\U000e0041", INVISIBLE, INVISIBLE, None),
    Form("joined emoji", "👩\u200d💻", INVISIBLE, None, None),
    Form("a variant of an emoji", "❤\ufe0f", INVISIBLE, None, None),
    Form("a space at the end", "cust-1 ", PADDED, PADDED, None),
    Form("a space before", " cust-1", PADDED, PADDED, None),
    Form("a no-break space at the end", "cust-1\u00a0", PADDED, PADDED, None),
    Form("an ideographic space before", "\u3000cust-1", PADDED, PADDED, None),
    Form("an accent apart from its letter", "Jose\u0301", OTHER_FORM, None, None),
    Form("an ohm", "5 \u2126", OTHER_FORM, None, None),
    Form("syllables in parts", "\u1112\u1161\u11ab", OTHER_FORM, None, None),
    Form("accents in another order", "q\u0307\u0323", OTHER_FORM, None, None),
]
# In normal form C, with nothing that cannot be seen.
LEGITIMATE_IDENTIFIERS = [
    "cust-1",
    "a",
    "two  words",
    "O'Brien & Søns",
    "Großmann",
    "Nguyễn Thị Hồng",
    "José",
    "Ω",
    "محمد علي",
    "שלום כהן",
    "अमित शर्मा",
    "王小明",
    "やまだ たろう",
    "ａｂｃ",
    "ﬁ",
    "김한",
    "😀",
    "q\u0323\u0307",
    "100%",
]
LEGITIMATE_NAMES = [
    *LEGITIMATE_IDENTIFIERS,
    "Jose\u0301",
    "क्\u200dष",
    "ශ්\u200dරී",
    "علی\u200cرضا",
    "👩🏽\u200d💻",
    "🏳\ufe0f\u200d🌈",
    "葛\U000e0100城",
    "1\ufe0f\u20e3",
]
LEGITIMATE_NOTES = [*LEGITIMATE_NAMES, "two\nlines\tand a tabulator", " padded ", "soft\u00adly"]


def find_forms(rule: Rule) -> list[Form]:
    """Those that are refused under the rule."""
    return [form for form in FORMS if form.find_code(rule)]
