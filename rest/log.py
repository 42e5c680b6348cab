"""How the lines of the log are written, and what those of a request say of it: nothing personal.

A line names people by their ids. What somebody sent, and what a row holds, is in no line: neither the query
of an address nor the message of an error.
"""

import io
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from typing import Any

import structlog

from ledger.logs import describe_error

# What is known of the request that is being answered, for every line in between. A context variable, since
# requests run in threads and in greenlets; each of those has a context of its own.
current: ContextVar[dict[str, str] | None] = ContextVar("current", default=None)

logger = structlog.get_logger(__name__)

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def list_levels(least: str) -> set[str]:
    """The levels of lines that are written, as these have them."""
    return {level.lower() for level in LEVELS[LEVELS.index(least) :]}


def add_request(logger: object, method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A processor of structlog: a line that is written during a request has its id."""
    for name, value in (current.get() or {}).items():
        line.setdefault(name, value)
    return line


def write_traceback(
    logger: object, method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A processor of structlog: where an error came from, and what it came of, without what they say."""
    error = line.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error and not isinstance(error, BaseException):
        error = sys.exc_info()[1]
    parts: list[str] = []
    while error:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + describe_error(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if parts:
        line["exception"] = "\n".join(reversed(parts))
    return line


def tell(event: str, words: str, level: str = "info") -> None:
    """In words for who watches a terminal; where else stdout goes, a line like every other."""
    if sys.stdout.isatty():
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()
    else:
        getattr(logger, level)(event, text=words.strip())


def take_everything() -> None:
    """Of a process that serves: what would be written on stderr in another form, warnings and errors that
    nobody caught, becomes a line like every other, unless somebody watches a terminal."""
    if not sys.stderr.isatty():
        logging.captureWarnings(True)
        sys.excepthook = lambda kind, error, trace: logger.critical("process_failed", exc_info=error)
        threading.excepthook = lambda what: logger.critical("thread_failed", exc_info=what.exc_value)


class Lines(io.StringIO):
    """A stream for what a command says to people, each line of which becomes one of the log."""

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                logger.error("command_failed", text=line)
        return len(text)


PROCESSORS: list[structlog.typing.Processor] = [
    add_request,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    write_traceback,
]


def configure(level: str) -> dict[str, Any]:
    """Set up structlog's loggers; what is returned is Django's `LOGGING`, which writes the others' alike."""
    structlog.configure(
        processors=[*PROCESSORS, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own copies of what the request line already says.
            "django.request": {"level": "CRITICAL"},
            "_granian": {"level": level},
            "django.server": {"level": "WARNING"},
            # Statements with their values, headers and bodies, whatever LOG_LEVEL is.
            "django.db.backends": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},  # every step of making a PDF
            "fpdf": {"level": "ERROR"},  # letters that its font does not have
            "httpcore2": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},  # a line for every webhook
            "axes": {"level": "ERROR"},  # with what was typed as a user name; the record has every login
        },
    }
