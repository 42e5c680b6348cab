"""Serving together what is asked for at the same time: a thread that takes all that waits, in one go.

Whoever comes while a group is being served is in the next one. A thread may also wait a moment for as many as
usually come together; who is alone waits for nobody.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from django.db import connections
from prometheus_client import Gauge, Histogram

GROUP_SIZE = Histogram(
    "ledger_group_size",
    "Requests that were served together.",
    ["of"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
GROUP_WAIT_SECONDS = Histogram(
    "ledger_group_wait_seconds",
    "How long the first request of a group had waited when the group began.",
    ["of"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
GROUP_WAITING = Gauge(
    "ledger_group_waiting",
    "Requests that wait for the next group.",
    ["of"],
    multiprocess_mode="livesum",
)
MEMORY = 4  # groups that what is usual remembers

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Waiting(Generic[Asked, Answer]):
    """What was asked for, and where its answer will be."""

    asked: Asked
    answer: "Future[Answer]" = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)


class Grouping(Generic[Asked, Answer]):
    """`serve` answers a group, called in the grouping's thread, which has a database connection of its own.

    `weigh` gives how much something adds to a group, which weighs `weight_max` at most; `gather_seconds` is
    how long a group waits for others. Two things that share one of their `find_keys` are never in one group.
    """

    def __init__(
        self,
        name: str,
        serve: Callable[[list[Waiting[Asked, Answer]]], None],
        *,
        weight_max: int,
        weigh: Callable[[Asked], int] = lambda asked: 1,
        find_keys: Callable[[Asked], Collection[Hashable]] = lambda asked: (),
        gather_seconds: float = 0.0,
    ) -> None:
        self.name, self.serve = name, serve
        self.weight_max, self.weigh, self.find_keys = weight_max, weigh, find_keys
        self.gather_seconds = gather_seconds
        self.queue: SimpleQueue[Waiting[Asked, Answer] | None] = SimpleQueue()
        self.left_over: deque[Waiting[Asked, Answer]] = deque()  # goes before the queue
        self.usual = 1.0  # how many usually come together
        self.stopping = False
        self.thread: Thread | None = None  # without it, what is asked for would wait for ever

    def start(self) -> None:
        self.thread = Thread(target=self.run, name=self.name, daemon=True)
        self.stopping = False
        self.thread.start()

    def stop(self) -> None:
        """Serve what waits, then end."""
        if self.thread is not None:
            self.queue.put(None)
            self.thread.join()
            self.thread = None

    def ask(self, asked: Asked) -> "Future[Answer]":
        """The future answer to what is asked for, in the next group."""
        waiting: Waiting[Asked, Answer] = Waiting(asked)
        self.queue.put(waiting)
        return waiting.answer

    def pass_on(self, waiting: Waiting[Asked, Answer]) -> None:
        """What another grouping could not serve is served by this one."""
        self.queue.put(waiting)

    def put_off(self, waiting: Waiting[Asked, Answer]) -> None:
        """What this grouping's thread could not serve yet is the first of its next group."""
        self.left_over.append(waiting)

    def run(self) -> None:
        """What the thread does: serve one group after another, until `stop`."""
        try:
            while group := self.take():
                self.attend(group)
        finally:
            connections.close_all()

    def attend(self, group: list[Waiting[Asked, Answer]]) -> None:
        """Serve a group, and count it. An error is the answer to all of it that has none yet."""
        size = len(group)
        GROUP_SIZE.labels(self.name).observe(size)
        GROUP_WAIT_SECONDS.labels(self.name).observe(time.monotonic() - group[0].since)
        try:
            self.serve(group)
        except BaseException as error:
            for waiting in group:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        left = self.queue.qsize() + len(self.left_over)
        GROUP_WAITING.labels(self.name).set(left)
        self.usual += (size + left - self.usual) / MEMORY

    def take(self) -> list[Waiting[Asked, Answer]]:
        """The next group, as soon as there is somebody; empty when the grouping is to end."""
        group: list[Waiting[Asked, Answer]] = []
        keys: set[Hashable] = set()
        weight, gathered_at = 0, 0.0
        again: list[Waiting[Asked, Answer]] = []
        while (waiting := self._find_next(group, gathered_at)) is not None:
            own, heavy = self.find_keys(waiting.asked), self.weigh(waiting.asked)
            if group and (weight + heavy > self.weight_max or not keys.isdisjoint(own)):
                again.append(waiting)
                if weight + heavy > self.weight_max:
                    break
                continue
            if not (waiting.answer.running() or waiting.answer.set_running_or_notify_cancel()):
                continue  # nobody waits for it any more
            if not group:
                gathered_at = time.monotonic() + self.gather_seconds
            group.append(waiting)
            keys.update(own)
            weight += heavy
        self.left_over.extendleft(reversed(again))
        return group

    def _find_next(
        self, group: list[Waiting[Asked, Answer]], gathered_at: float
    ) -> Waiting[Asked, Answer] | None:
        """The next that waits; None when the group goes without it, or the grouping is to end."""
        if self.left_over:
            return self.left_over.popleft()
        if self.stopping:
            return None
        is_full = len(group) >= int(self.usual + 0.5) or not self.gather_seconds
        seconds = 0.0 if is_full else max(0.0, gathered_at - time.monotonic())
        try:
            waiting = self.queue.get(timeout=seconds if group else None)
        except Empty:
            return None
        self.stopping = waiting is None
        return waiting
