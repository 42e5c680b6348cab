"""The environment, read strictly: what cannot be understood is refused by name, all of it at once.

django-environ would take `ture` for false and `10 s` for 10, and show a key that begins with a `$` in its
message. It still reads the `.env` file and takes database URLs apart.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")

UNREADABLE = "ledger.E001"
MISSING = "ledger.E002"
FLAGS = {
    **dict.fromkeys(("true", "on", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "off", "no", "n", "0"), False),
}
POSTGRES = ("postgres", "postgresql", "psql", "pgsql")
BROKERS = ("amqp", "amqps", "pyamqp")


class Environment:
    """Each method reads one setting, whose name comes first, and takes the default when it is not set.

    What is wrong goes to `problems` and the default is answered, until `refuse` ends it.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[str] = []

    def refuse(self) -> None:
        """Raises `ImproperlyConfigured` with a line for each problem, if there are any."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(dict.fromkeys(self.problems)))

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def find_secret(self, name: str) -> str | None:
        """The text of a secret setting as it stands, or what is in the file that `NAME_FILE` names, without
        the line's end; None when neither is set."""
        file = self.values.get(f"{name}_FILE")
        if file is None:
            return self.values.get(name)
        if name in self.values:
            self._add(UNREADABLE, f"{name} and {name}_FILE are both set: take one of the two out.")
        try:
            return Path(file).read_text().rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            self._add(UNREADABLE, f"{name}_FILE names a file that cannot be read ({reason}): name another.")
            return ""

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        """One of the words, however it is written."""
        words = {word.lower(): word for word in choices}
        wanted = f"one of {', '.join(words.values())}"
        return self._read(name, default, lambda text: words[text.lower()], wanted)

    def flag(self, name: str, default: bool) -> bool:
        return self._read(name, default, lambda text: FLAGS[text.lower()], "true or false")

    def whole(self, name: str, default: int, least: int = 1, most: int | None = None) -> int:
        def read(text: str) -> int:
            number = _require(read_whole(text), least)
            if most is not None and number > most:
                raise ValueError
            return number

        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        return self._read(name, default, read, f"a whole number, {bounds}")

    def number(self, name: str, default: float, *, can_be_zero: bool = False) -> float:
        """A finite number above zero."""

        def read(text: str) -> float:
            number = float(text)
            if not math.isfinite(number) or number < 0 or (number == 0 and not can_be_zero):
                raise ValueError
            return number

        return self._read(name, default, read, "a number, 0 or more" if can_be_zero else "a number above 0")

    def items(self, name: str, default: Iterable[str] = (), separators: str = ",") -> list[str]:
        """A list, as in `a,b`."""
        text = self.values.get(name)
        return list(default) if text is None else _split(text, separators)

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """A list of networks, as in `10.0.0.0/8,fd12::/16`; an address is one of its own."""
        networks = []
        for item in self.items(name):
            try:
                networks.append(ip_network(item))
            except ValueError:
                self._add(UNREADABLE, f"{name} has {item!r}: write a network, as in 10.0.0.0/8.")
        return networks

    def secrets(self, name: str) -> list[str]:
        """A list of keys, each exactly as it stands."""
        return [key for key in (self.find_secret(name) or "").split(",") if key]

    def pairs(
        self, name: str, default: Mapping[str, Value], read: Callable[[str], Value], example: str
    ) -> dict[str, Value]:
        """What stands for what, as in `A=1,B=2` or `A=1;B=2`, each of them once."""
        pairs: dict[str, Value] = {}
        text = self.values.get(name)
        if text is None:
            return dict(default)
        for item in _split(text, ",;"):
            key, equals, value = (part.strip() for part in item.partition("="))
            try:
                if not key or not equals:
                    raise ValueError
                pair = read(value)
            except ValueError:
                self._add(UNREADABLE, f"{name} has {item!r}: write it as in {example}.")
                continue
            if key in pairs:
                self._add(UNREADABLE, f"{name} has {key} twice: take one of the two out.")
            pairs[key] = pair
        return pairs

    def secret(self, name: str) -> str:
        """A key, exactly as it stands; it must be there."""
        key = self.find_secret(name) or ""
        if not key.strip():
            self._add(
                MISSING, f"{name} is not set: give it 32 random bytes or more (openssl rand -base64 48)."
            )
        return key

    def database(self, name: str) -> dict[str, Any]:
        """What Django wants to know of a PostgreSQL, out of its address, which has a password; nothing when
        it is not set."""
        text = self.find_secret(name)
        if not text:
            return {}
        try:
            config: dict[str, Any] = environ.Env.db_url_config(text) if _has_scheme(text, POSTGRES) else {}
        except (ValueError, TypeError, LookupError):
            config = {}
        if not config.get("NAME"):
            wanted = "write postgres://user:password@host:5432/name."
            self._add(UNREADABLE, f"{name} is no address of a PostgreSQL database: {wanted}")
        return config

    def brokers(self, name: str) -> str:
        """The addresses of a RabbitMQ, as kombu takes them: one, or several with `;` between them."""
        text = self.find_secret(name) or ""
        for address in filter(None, text.split(";")):
            try:
                parts = urlsplit(address)
                is_right = parts.scheme in BROKERS and parts.hostname and parts.port != 0
            except ValueError:
                is_right = False
            if not is_right:
                wanted = "write amqp://user:password@host:5672//."
                self._add(UNREADABLE, f"{name} is no address of a RabbitMQ: {wanted}")
        return text

    def add_unwritable(self, name: str, error: OSError) -> None:
        """A folder that is needed and cannot be written to."""
        self._add(UNREADABLE, describe_unwritable(name, error.strerror))

    def has_package(self, name: str, package: str, requirements: str) -> bool:
        """Whether what a setting needs is installed."""
        try:
            is_there = find_spec(package) is not None
        except ModuleNotFoundError:
            is_there = False
        if not is_there:
            self._add(MISSING, f"{name} needs packages that are missing: pip install -r {requirements}.")
        return is_there

    def _read(self, name: str, default: Value, read: Callable[[str], Value], wanted: str) -> Value:
        text = self.values.get(name)
        if text is None:
            return default
        try:
            return read(text.strip())
        except (ValueError, LookupError):
            self._add(UNREADABLE, f"{name} is {text!r}: it must be {wanted}.")
            return default

    def _add(self, id: str, sentence: str) -> None:
        self.problems.append(f"({id}) {sentence}")


def name_process(arguments: Sequence[str]) -> str:
    """What the database calls a process with this command line: a command by its name, else the program."""
    program = Path(arguments[0] if arguments else "")
    if program.name == "manage.py" and len(arguments) > 1:
        return f"ledger {arguments[1]}"
    return f"ledger {program.parent.name if program.name == '__main__.py' else program.name}"


def describe_unwritable(name: str, reason: str | None) -> str:
    """What is said of a folder that a setting names and that cannot be used."""
    return f"{name} is no folder that can be written to ({reason}): name another."


def read_whole(text: str) -> int:
    """Raises `ValueError` for what is no whole number in plain digits."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError
    return int(text)


def read_amount(text: str) -> Decimal:
    """Raises `ValueError` for what is no number in plain digits, as many as a balance has."""
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,8})?", text):
        raise ValueError
    return Decimal(text)


def _require(number: int, least: int) -> int:
    if number < least:
        raise ValueError
    return number


def _split(text: str, separators: str) -> list[str]:
    return [item.strip() for item in re.split(f"[{separators}]", text) if item.strip()]


def _has_scheme(text: str, schemes: Iterable[str]) -> bool:
    return text.partition("://")[0] in schemes
