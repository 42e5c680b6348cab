"""What a map says: how the files of one bank or service become rows of the ledger. It is written in TOML.

Columns are named as they are in the file; case and spaces do not matter.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

from rest.times import find_time_zones
from transactions.management.maps import camt

SHIPPED = Path(__file__).parent
CAMT = "camt.053"
FORMATS = ("csv", CAMT)
Columns = tuple[str, ...]
# The ledger's columns that a map may fill from columns of the file, and those that it may say itself.
FILLED = ("external_id", "user", "account", "account_name", "currency", "name", "reference", "balance")
SAID = ("external_id", "user", "account", "account_name", "currency", "name", "reference")


class MapInvalid(Exception):
    """What is wrong with a map."""


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What the row moves: of one signed column, or of one for what comes and one for what goes."""

    column: str = ""
    negate: bool = False  # what is spent has no sign
    sign_column: str = ""  # says by its words what the sign is
    plus: Columns = ()
    minus: Columns = ()
    deposit: str = ""
    withdraw: str = ""
    withdraw_is_negative: bool = False  # its amounts have a minus sign
    fee: str = ""  # is taken off, whatever the row moves
    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        if bool(self.column) == bool(self.deposit and self.withdraw):
            raise MapInvalid("[amount] names a column, or one for deposit and one for withdraw.")
        if bool(self.sign_column) != bool(self.plus and self.minus) or (self.sign_column and not self.column):
            raise MapInvalid("[amount] sign_column goes with column, plus and minus.")
        if len(self.decimal) != 1 or len(self.thousands) > 1 or self.decimal == self.thousands:
            raise MapInvalid("[amount] decimal is one character, thousands another one or none.")


@dataclass(frozen=True, kw_only=True)
class Time:
    """When the row takes effect: its columns, joined by a space, in one of the formats of `strptime`."""

    columns: Columns
    format: Columns
    zone: str = ""
    offsets: Mapping[str, str] = field(default_factory=dict)  # of the abbreviation at the end: PST = "-08:00"

    def __post_init__(self) -> None:
        if self.zone and self.zone not in find_time_zones():
            raise MapInvalid(f"[time] zone: {self.zone} is not the name of a time zone, like Europe/Berlin.")


@dataclass(frozen=True, kw_only=True)
class Key:
    """What tells a row from the others for ever: one column of what is unique, or what the row says.

    No columns: all that the map reads but the balance. With `repeats` rows may say the same, and are counted.
    """

    columns: Columns = ()
    repeats: bool = False


@dataclass(frozen=True, kw_only=True)
class Map:
    amount: Amount
    time: Time
    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    header: Columns = ()  # of a file that has none
    newest_first: bool = False
    key: Key = field(default_factory=Key)
    columns: Mapping[str, Columns] = field(default_factory=dict)  # the ledger's: the file's, joined
    values: Mapping[str, str] = field(default_factory=dict)  # the ledger's, the same in all rows
    metadata: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, Columns] = field(default_factory=dict)  # what must stand there, if it is not skipped
    skip: Mapping[str, Columns] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise MapInvalid(f"format is {' or '.join(FORMATS)}.")
        for name, known in (("columns", FILLED), ("values", SAID)):
            for key in getattr(self, name):
                if key not in known:
                    raise MapInvalid(f"[{name}] {key}: it has {', '.join(known)}.")
        if twice := {*self.columns} & {*self.values}:
            raise MapInvalid(f"[values] {', '.join(twice)}: [columns] says it already.")
        known_columns = camt.COLUMNS if self.format == CAMT else self.header
        if known_columns and (unknown := {*self.wanted} - {*known_columns}):
            raise MapInvalid(
                f"There is no column {', '.join(sorted(unknown))}; but {', '.join(known_columns)}."
            )

    @property
    def read(self) -> list[str]:
        """The file's columns that say something, without the balance."""
        of_amount = (
            self.amount.column,
            self.amount.sign_column,
            self.amount.deposit,
            self.amount.withdraw,
            self.amount.fee,
        )
        told = [name for key, names in self.columns.items() if key != "balance" for name in names]
        every = [*of_amount, *self.time.columns, *told, *self.metadata.values()]
        return sorted({name for name in every if name})

    @property
    def wanted(self) -> list[str]:
        """All columns that the file must have."""
        more = [*self.key.columns, *self.columns.get("balance", ()), *self.keep, *self.skip]
        return sorted({*self.read, *more})

    @property
    def zone(self) -> ZoneInfo | None:
        return ZoneInfo(self.time.zone) if self.time.zone else None


def load(name: str) -> Map:
    """The map of a file, or one that is shipped, by its name. Raises `MapInvalid`."""
    shipped = SHIPPED / f"{name}.toml"
    path = shipped if name in list_shipped() else Path(name)
    try:
        map: Map = _read(Map, tomllib.loads(path.read_text(encoding="utf-8")), "")
    except OSError as error:
        known = ", ".join(list_shipped())
        raise MapInvalid(f"{name}: {error.strerror}, and no map of this name is shipped ({known}).") from None
    except (UnicodeError, tomllib.TOMLDecodeError, MapInvalid) as error:
        raise MapInvalid(f"{path}: {error}") from None
    return map


def list_shipped() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def _read(kind: Any, value: Any, where: str) -> Any:
    """The value of a map's part as its kind; `where` it stands. Raises `MapInvalid`."""
    if hasattr(kind, "__dataclass_fields__"):
        return _read_table(kind, value, where)
    if kind == Columns:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise MapInvalid(f"{where} is a text, or a list of texts.")
        return tuple(texts)
    if get_origin(kind) is Mapping:
        if not isinstance(value, dict):
            raise MapInvalid(f"{where} is a table.")
        return {key: _read(get_args(kind)[1], each, f"{where} {key}") for key, each in value.items()}
    if not isinstance(value, kind):
        raise MapInvalid(f"{where} is {'a text' if kind is str else 'true or false'}.")
    return value


def _read_table(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise MapInvalid(f"{where} is a table.")
    known = {each.name: each for each in fields(kind)}
    if unknown := value.keys() - known.keys():
        raise MapInvalid(f"{where or 'A map'} has no {', '.join(sorted(unknown))}; but {', '.join(known)}.")
    for each in known.values():
        if each.default is MISSING and each.default_factory is MISSING and each.name not in value:
            raise MapInvalid(f"{where or 'A map'} lacks {each.name}.")
    parts = {
        name: _read(
            known[name].type, part, f"[{name}]" if isinstance(part, dict) else f"{where} {name}".strip()
        )
        for name, part in value.items()
    }
    return kind(**parts)
