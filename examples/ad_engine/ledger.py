"""A client of the ledger's API that obeys the client's rule.

The same request again on a network error, 408, 409, 429 and 5xx; other 4xx are final. That is safe for every
command, as each carries its own id.
"""

import time
from collections.abc import Iterator
from typing import Any

import httpx2

READ_SECONDS_MAX = 20  # a feed that is waited for answers after 10 s
PAUSE_SECONDS = 0.1
PAUSE_SECONDS_MAX = 2.0
PAGE = 500
Json = dict[str, Any]


class LedgerAway(Exception):
    """No answer for as long as the client insists, or one that fits nothing: try again later."""


class Refused(Exception):
    """A final answer."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.code: str = problem.get("code", "")


class Ledger:
    def __init__(
        self, url: str, token: str, *, patience: float = 10, transport: httpx2.BaseTransport | None = None
    ) -> None:
        """`patience`: seconds that a request is repeated for."""
        self.patience = patience
        self.client = httpx2.Client(
            base_url=url.rstrip("/") + "/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=READ_SECONDS_MAX,
            transport=transport,
        )

    def get(self, path: str, **query: Any) -> Json:
        """Raises `LedgerAway`, `Refused`."""
        return self._insist("GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: Json | None = None) -> Json:
        """Raises `LedgerAway`, `Refused`."""
        return self._insist("POST", path, json=body)

    def read_account(self, id: str, after_sequence: int) -> Iterator[Json]:
        """The events of an account after one of its own sequence numbers, to their present end."""
        has_more = True
        while has_more:
            page = self.get("/events", account=id, after_sequence=after_sequence, limit=PAGE)
            yield from page["events"]
            has_more = page["has_more"]
            if page["events"]:
                after_sequence = page["events"][-1]["account_sequence"]

    def has_account(self, id: str) -> bool:
        try:
            self.get(f"/accounts/{id}")
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def read_epoch(self) -> str:
        """The name of the feed's present history; nothing has happened yet: an empty text."""
        events = self.get("/events", limit=1)["events"]
        return str(events[0]["epoch"]) if events else ""

    def _insist(self, method: str, path: str, **request: Any) -> Json:
        deadline = time.monotonic() + self.patience
        pause = PAUSE_SECONDS
        while True:
            try:
                answer = self.client.request(method, path, **request)
            except httpx2.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success:
                    return dict(answer.json())
                if answer.status_code not in (408, 409, 429) and answer.status_code < 500:
                    raise Refused(answer.status_code, read_problem(answer))
                reason = f"{answer.status_code}: {answer.text[:200]}"
            if time.monotonic() + pause > deadline:
                raise LedgerAway(f"{method} {path}: {reason}")
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)


def read_problem(answer: httpx2.Response) -> Json:
    """RFC 9457; a proxy in between may say something else."""
    try:
        return dict(answer.json())
    except ValueError:
        return {"detail": answer.text[:200]}
