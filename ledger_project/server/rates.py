"""How many requests a caller may send: `RATE_LIMIT` a second in each worker, saved up for a few seconds."""

import math
import time

SECOND = 1_000_000_000  # in nanoseconds, which add up exactly
BURST = 2 * SECOND  # who was silent so long may send as much at once
CALLERS_MAX = 10_000  # that are remembered


class Rates:
    """Of each caller the moment from which on nothing of theirs is remembered: every request moves it on.

    Called by the loop's thread, but for `give_back`.
    """

    def __init__(self, per_second: float) -> None:
        self.cost = int(SECOND / per_second)
        self.free_at: dict[str, int] = {}

    def take(self, caller: str) -> float:
        """0 if the caller may send one more, which then counts; else how many seconds to wait."""
        now = time.monotonic_ns()
        free_at = max(self.free_at.get(caller, now), now) + self.cost
        wait = free_at - now - max(BURST, self.cost)
        if wait > 0:
            return wait / SECOND
        if len(self.free_at) >= CALLERS_MAX:
            self._forget(now)
        self.free_at[caller] = free_at
        return 0.0

    def give_back(self, caller: str) -> None:
        """What was counted shall not count. Called by any thread."""
        if caller in self.free_at:
            self.free_at[caller] -= self.cost

    def _forget(self, now: int) -> None:
        """Those of whom there is nothing to remember; if all have sent something just now, all of them."""
        self.free_at = {caller: free_at for caller, free_at in self.free_at.items() if free_at > now}
        if len(self.free_at) >= CALLERS_MAX:
            self.free_at = {}


def write_seconds(wait: float) -> str:
    """`Retry-After`: whole seconds, and not too few."""
    return str(math.ceil(wait))
