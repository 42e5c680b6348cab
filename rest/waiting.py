"""Waiting without holding anybody up: for a group that answers many requests, or for the database.

The server answers the hot requests on one thread, each in a greenlet of its own. Such a request that waits is
set aside, and the thread goes on with others. Everywhere else the thread waits.
"""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import close_old_connections, connections
from greenlet import getcurrent, greenlet

Answer = TypeVar("Answer")
THREADS = 2  # that ask the database for requests in greenlets: seldom, see `ask`

_asking = ThreadPoolExecutor(THREADS, thread_name_prefix="ask")
_being_asked: dict[Hashable, Future[Any]] = {}


class RequestGreenlet(greenlet):
    """A request that may be set aside. `switch` gives the `Future` that it waits for, until it is dead."""


def wait_for(future: "Future[Answer]") -> Answer:
    """The future's result; raises what it raises."""
    current = getcurrent()
    if isinstance(current, RequestGreenlet) and current.parent and not future.done():
        current.parent.switch(future)
    return future.result()


def ask(question: Callable[..., Answer], *arguments: Any) -> Answer:
    """The answer of a function that asks the database. In a greenlet another thread asks."""
    if not isinstance(getcurrent(), RequestGreenlet):
        return question(*arguments)
    return wait_for(_asking.submit(_ask, question, arguments))


def ask_once(question: Callable[..., Answer], *arguments: Any) -> Answer:
    """As `ask`; who asks the same thing meanwhile gets the same answer."""
    key = (question, arguments)
    own: Future[Answer] = Future()
    answer: Future[Answer] = _being_asked.setdefault(key, own)
    if answer is own:
        try:
            own.set_result(ask(question, *arguments))
        except BaseException as error:
            own.set_exception(error)
        finally:
            del _being_asked[key]
    return wait_for(answer)


def _ask(question: Callable[..., Answer], arguments: tuple[Any, ...]) -> Answer:
    try:
        return question(*arguments)
    finally:
        close_old_connections()  # gives it back to the pool


def sleep(seconds: float) -> None:
    """Wait without holding a connection of the pool. Not for greenlets: it blocks their thread."""
    lend_connections()
    time.sleep(seconds)


def lend_connections() -> None:
    """Give the thread's connections back to the pool, except one that is in a transaction."""
    for wrapper in connections.all(initialized_only=True):
        if not wrapper.in_atomic_block:
            wrapper.close_if_unusable_or_obsolete()
