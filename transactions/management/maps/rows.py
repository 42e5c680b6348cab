"""A row of a file becomes a row of the ledger, as its map says."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import NAME_LENGTH_MAX, REFERENCE_LENGTH_MAX
from ledger.text import CONTROL, DIRECTION, INVISIBLE, METADATA_VALUE_MAX
from transactions.management.maps.form import Map
from transactions.management.tables import Unfitting

NOT_SEEN = re.compile(f"[{DIRECTION}{INVISIBLE}]")
NOT_ONE_LINE = re.compile(f"[{CONTROL}]")
OF_DAY = re.compile(r"(?<!%)(?:%%)*%[HIcX]")  # a format with a time of day
SIGNS_AND_SPACES = {0x2212: "-", 0xA0: " ", 0x202F: " "}  # as typographers write them
LENGTHS = {"reference": REFERENCE_LENGTH_MAX, "name": NAME_LENGTH_MAX}


class LeavesOut(Exception):
    """Why a map leaves a row out."""


class Converter:
    """Reads the rows of one file. It counts those that say the same."""

    def __init__(self, map: Map) -> None:
        self.map = map
        self.said: Counter[bytes] = Counter()
        amount = map.amount
        group = rf"[0-9]{{1,3}}(?:{re.escape(amount.thousands)}[0-9]{{3}})+|" if amount.thousands else ""
        self.number = re.compile(rf"([+-]?)((?:{group}[0-9]+)(?:{re.escape(amount.decimal)}[0-9]+)?)(-?)")

    def convert(self, line: int, cells: dict[str, str]) -> dict[str, Any]:
        """The ledger's columns, as texts, and metadata. Raises `LeavesOut`, `Unfitting`."""
        self._choose(line, cells)
        change = self._read_change(line, cells)
        if not change:
            raise LeavesOut("the amount is zero")
        row: dict[str, Any] = {
            "type": "DEPOSIT" if change > 0 else "WITHDRAW",
            "amount": _write(abs(change)),
            "effective_at": self._read_time(line, cells),
            "key": self._make_key(cells),
        }
        for name, columns in self.map.columns.items():
            text = tidy(" ".join(cells.get(column, "") for column in columns))
            if name == "balance" and text:
                text = _write(self._read_number(line, columns[0], text))
            elif name == "currency":
                text = text.upper()
            row[name] = text[: LENGTHS.get(name)].rstrip()
        metadata = {key: tidy(cells.get(column, "")) for key, column in self.map.metadata.items()}
        row["metadata"] = {key: text[:METADATA_VALUE_MAX] for key, text in metadata.items() if text}
        return {name: value for name, value in (row | dict(self.map.values)).items() if value}

    def _choose(self, line: int, cells: dict[str, str]) -> None:
        """Raises `LeavesOut` for what is skipped, `Unfitting` for what is neither skipped nor kept."""
        for column, texts in self.map.skip.items():
            if (text := tidy(cells.get(column, ""))) in texts:
                raise LeavesOut(f"{column} is {text}" if text else f"{column} is empty")
        for column, texts in self.map.keep.items():
            if (text := tidy(cells.get(column, ""))) not in texts:
                raise Unfitting(
                    line,
                    column,
                    "invalid_choice",
                    f"The map neither keeps nor skips a row that says {text!r}.",
                )

    def _read_change(self, line: int, cells: dict[str, str]) -> Decimal:
        amount = self.map.amount
        if amount.column:
            change = self._read_number(line, amount.column, cells.get(amount.column, ""))
            if amount.sign_column:
                change *= self._read_sign(line, cells.get(amount.sign_column, ""))
            if amount.negate:
                change = -change
        else:
            comes, goes = (
                self._read_number(line, column, cells[column])
                if cells.get(column, "").strip()
                else Decimal(0)
                for column in (amount.deposit, amount.withdraw)
            )
            goes = -goes if amount.withdraw_is_negative else goes
            if comes < 0 or goes < 0 or bool(comes) == bool(goes):
                raise Unfitting(
                    line,
                    f"{amount.deposit}, {amount.withdraw}",
                    "amount_invalid",
                    "One of the two has an amount, and neither the other sign.",
                )
            change = comes - goes
        if amount.fee and cells.get(amount.fee, "").strip():
            change -= self._read_number(line, amount.fee, cells[amount.fee])
        return change

    def _read_sign(self, line: int, text: str) -> int:
        amount, text = self.map.amount, tidy(text)
        if text not in (*amount.plus, *amount.minus):
            said = ", ".join((*amount.plus, *amount.minus))
            raise Unfitting(line, amount.sign_column, "invalid_choice", f"One of {said}.")
        return 1 if text in amount.plus else -1

    def _read_number(self, line: int, column: str, text: str) -> Decimal:
        amount = self.map.amount
        match = self.number.fullmatch(text.strip().translate(SIGNS_AND_SPACES))
        if match is None or (match[1] and match[3]):
            example = f"1{amount.thousands}234{amount.decimal}50"
            raise Unfitting(line, column, "amount_invalid", f"Not an amount like {example}.")
        digits = match[2].replace(amount.thousands, "") if amount.thousands else match[2]
        number = Decimal(digits.replace(amount.decimal, "."))
        return -number if "-" in (match[1], match[3]) else number

    def _read_time(self, line: int, cells: dict[str, str]) -> str:
        """A day, a time, or one with its offset, as the ledger's own files have it."""
        time = self.map.time
        text = " ".join(" ".join(cells.get(column, "") for column in time.columns).split())
        column, offset = ", ".join(time.columns), ""
        if time.offsets:
            text, _, abbreviation = text.rpartition(" ")
            if abbreviation not in time.offsets:
                raise Unfitting(
                    line, column, "timezone_invalid", f"[time] offsets does not say what {abbreviation!r} is."
                )
            offset = time.offsets[abbreviation]
        for format in time.format:
            try:
                moment = datetime.strptime(text, format)  # noqa: DTZ007, its zone is that of the map
            except ValueError:
                continue
            return moment.isoformat() + offset if OF_DAY.search(format) else moment.date().isoformat()
        raise Unfitting(line, column, "datetime_invalid", f"{text!r} is not of the form {time.format[0]}.")

    def _make_key(self, cells: dict[str, str]) -> str:
        """The same for the same row in every file, for ever."""
        key = self.map.key
        columns = key.columns or self.map.read
        texts = [tidy(cells.get(column, "")) for column in columns]
        if len(key.columns) == 1 and not key.repeats:
            return texts[0]
        digest = hashlib.sha256(json.dumps(texts, ensure_ascii=True).encode()).digest()[:16]
        if key.columns and not key.repeats:
            return digest.hex()
        self.said[digest] += 1
        return f"{digest.hex()}-{self.said[digest]}"


def tidy(text: str) -> str:
    """On one line, in NFC, without what cannot be seen and what stands at the ends."""
    text = NOT_SEEN.sub("", NOT_ONE_LINE.sub(" ", text))
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _write(number: Decimal) -> str:
    return f"{number.normalize():f}"
