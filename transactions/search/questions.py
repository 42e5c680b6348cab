"""What somebody may mean by a text: a person, a way to reach one, a reference, an amount on a day.

Days and amounts are read as people write them in English and in Russian.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from accounts.currencies import find_decimals
from transactions.search import keys
from transactions.search.folding import find_digits, fold, fold_address

THOUSANDS = 3  # digits
WORDS_MAX = 8  # of a text; what stands behind them is not looked for
MONTHS = {
    name: number
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
    )
    for number, name in enumerate(names.split(), 1)
} | {fold("май"): 5}
DAYS_AGO = {"today": 0, "сегодня": 0, "yesterday": 1, "вчера": 1}
PHONE = re.compile(r"[+(]?\s*\d[\d\s().\-/\u2010-\u2015]*")
SIGNS = re.compile("[$€£¥₽]")
CODE = re.compile(r"[^\W\d]{3,}")
AMOUNTS = (
    re.compile(r"[-+\u2212]?(\d{1,3}(?:[\s.,'\u2019]\d{3})+(?:[.,]\d{1,8})?)(?![\d.,])"),  # by thousands
    re.compile(r"[-+\u2212]?(\d{1,15}(?:[.,]\d{1,8})?)(?![\d.,]\d)"),
)
# Between an amount and its day; «в», «за» and «от» too.
BETWEEN = re.compile(r"(?:\s*,\s*|\s+)(?:(?:on|at|from|of|за|от|в)\s+)?", re.IGNORECASE)
ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
NUMBERS = re.compile(r"(\d{1,2})([./])(\d{1,2})(?:\2(\d{4}|\d{2}))?\.?")
NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|-?го)?\.?\s+([^\W\d]{3,})\.?(?:,?\s+(\d{4}))?(?:\s*(?:г\.?|года))?"  # noqa: RUF001, Russian
)
NAMED_FIRST = re.compile(r"([^\W\d]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?")


@dataclass(frozen=True, slots=True)
class Question:
    """All that the text may mean. `days` begin, and are over, at these moments; none: it may be any day."""

    text: str
    now: datetime  # when it is asked
    words: list[str] = field(default_factory=list)  # of a name, an external id or a reference
    address: str = ""
    digits: str = ""
    amounts: list[Decimal] = field(default_factory=list)
    days: list[tuple[datetime, datetime]] = field(default_factory=list)
    is_of_people: bool = True
    is_of_movements: bool = True


def read(text: str, now: datetime) -> Question:
    """`name:` and `ref:` before it say what it is."""
    kind, colon, rest = text.strip().partition(":")
    operator = kind.lower() if colon and kind.lower() in ("name", "ref") else ""
    asked = (rest if operator else text).strip()
    digits = find_digits(asked) if PHONE.fullmatch(asked) else ""
    amounts, days = ([], []) if operator else read_amount_on_day(asked, now.date())
    return Question(
        asked,
        now,
        list(dict.fromkeys(fold(asked).split()))[:WORDS_MAX],
        fold_address(asked) if "@" in asked and not operator else "",
        digits if len(digits) >= keys.DIGITS_MIN and not (operator or amounts) else "",
        amounts,
        days,
        is_of_people=operator != "ref" and not days,
        is_of_movements=operator != "name",
    )


def read_amount_on_day(text: str, today: date) -> tuple[list[Decimal], list[tuple[datetime, datetime]]]:
    """The amounts and the days, with the day before and the one after, that `50,00 on 24 Nov` may mean.

    An amount alone is one if it has decimals or a currency: other numbers are more often something else.
    """
    plain = CODE.sub(lambda word: " " if find_decimals(word[0].upper()) is not None else word[0], text)
    plain = SIGNS.sub(" ", plain).strip()
    for found in filter(None, (shape.match(plain) for shape in AMOUNTS)):
        rest = plain[found.end() :]
        if not rest.strip():
            is_meant = plain != text or re.search("[.,]", found[1])
            return (read_amounts(found[1]), []) if is_meant else ([], [])
        gap = BETWEEN.match(rest)
        if gap and (days := read_days(rest[gap.end() :].strip(), today)):
            return read_amounts(found[1]), [(_begin(day, -1), _begin(day, 2)) for day in days]
    return [], []


def read_amounts(text: str) -> list[Decimal]:
    """`1 234,50` is one amount; `1,234` may be two: of thousands, or of a currency with three decimals."""
    plain = re.sub(r"[\s'\u2019]", "", text)
    marks = re.findall("[.,]", plain)
    if not marks:
        return [Decimal(plain)]
    whole, _, decimals = plain.rpartition(marks[-1])
    read = [Decimal(f"{re.sub('[.,]', '', whole)}.{decimals}")] if plain.count(marks[-1]) == 1 else []
    if len(decimals) == THOUSANDS and len(set(marks)) == 1:
        read.append(Decimal(re.sub("[.,]", "", plain)))
    return read


def read_days(text: str, today: date) -> list[date]:
    """The days that the text may be: without a year the last such day, until tomorrow."""
    if (ago := DAYS_AGO.get(text.lower())) is not None:
        return [today - timedelta(days=ago)]
    if found := ISO.fullmatch(text):
        return _make_days([(found[3], found[2])], found[1], today)
    if found := NUMBERS.fullmatch(text):
        day, mark, month, year = found.groups()
        orders = [(day, month), (month, day)] if mark == "/" else [(day, month)]
        return _make_days(orders, year, today)
    if found := NAMED.fullmatch(text):
        day, name, year = found.groups()
    elif found := NAMED_FIRST.fullmatch(text):
        name, day, year = found.groups()
    else:
        return []
    month = MONTHS.get(fold(name)[:3])
    return _make_days([(day, str(month))], year, today) if month else []


def _make_days(orders: list[tuple[str, str]], year: str | None, today: date) -> list[date]:
    years = (
        [int(year) + (2000 if len(year) == 2 else 0)] if year else range(today.year + 1, today.year - 9, -1)
    )
    days = []
    for day, month in dict.fromkeys(orders):
        possible = (_make_day(each, int(month), int(day)) for each in years)
        last = (each for each in possible if each and (year or each <= today + timedelta(days=1)))
        days += [found for found in [next(last, None)] if found]
    return list(dict.fromkeys(days))


def _make_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1970 <= year <= 9990 else None
    except ValueError:
        return None


def _begin(day: date, later: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=later)
