"""The client's whole rule: the same request again, with the same id, on a network error, a time-out, 408,
409, 429 and 5xx; every other 4xx is final; a redirect is never followed.
"""

import contextlib
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from ledger_client.problems import NotFound, NotTheLedger, Unanswered, make_refusal
from ledger_client.wire import Json

AGAIN = {408, 409, 429}
CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 30.0  # a feed that is waited for answers after 10
PAUSE_SECONDS = 0.1  # doubled from try to try
PAUSE_SECONDS_MAX = 5.0
SHOWN = 200  # characters of an answer that nobody expected
Token = str | Callable[[], str]


class Again(Exception):
    """Not known yet; `wait`: what `Retry-After` has asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class Sender:
    """Sends requests until they are answered. Threads may share it."""

    def __init__(
        self, url: str, token: Token, *, patience: float, transport: httpx2.BaseTransport | None = None
    ) -> None:
        """`patience`: the seconds that a request is repeated for."""
        self.patience = patience
        self.token = token if callable(token) else lambda: token
        self.client = httpx2.Client(
            base_url=url.rstrip("/") + "/api/v1",
            headers={"Accept": "application/json", "User-Agent": "ledger-client/0.1.0"},
            timeout=httpx2.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX),
            follow_redirects=False,  # a POST that is redirected would come back as somebody's list, with 200
            transport=transport,
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        answers_id: str | None = None,
        once: bool = False,
    ) -> Json:
        """The body of the answer; of 204 an empty one. `answers_id`: an answer without this `id` is none.

        `once` is for what must not be done twice and has no id. Raises `Refused` and `Unanswered`.
        """
        request: Json = {"params": query or None, "headers": dict(headers or {})}
        if body is not None:
            request["json"] = body
        deadline, pause = time.monotonic() + self.patience, PAUSE_SECONDS
        while True:
            try:
                return self._try(method, path, request, answers_id)
            except Again as again:
                wait = max(spread(pause, 0.5, 1.5), spread(again.wait, 1, 1.25))
                if once or time.monotonic() + wait > deadline:
                    unknown = "" if method == "GET" else ". It may have been done"
                    raise Unanswered(
                        f"{method} {path}: {again.reason}{unknown}.", retry_after=again.wait
                    ) from again.__cause__
            time.sleep(wait)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)

    def delete(self, path: str) -> None:
        """One that is not there is deleted: perhaps by a try whose answer was lost."""
        with contextlib.suppress(NotFound):
            self.send("DELETE", path)

    def _try(self, method: str, path: str, request: Json, answers_id: str | None) -> Json:
        headers = {**request["headers"], "Authorization": f"Bearer {self.token()}"}
        try:
            answer = self.client.request(method, path, **{**request, "headers": headers})
        except httpx2.RequestError as error:
            raise Again(f"{type(error).__name__}: {error}") from error
        return judge(answer, f"{method} {path}", answers_id)


def spread(seconds: float, least: float, most: float) -> float:
    """So many times as long, at random: those who were turned away together do not come back together."""
    return seconds * random.uniform(least, most)  # noqa: S311, not a secret


def judge(answer: httpx2.Response, what: str, answers_id: str | None) -> Json:
    """The body of a good answer. Raises `Again`, `NotTheLedger` and `Refused`."""
    status = answer.status_code
    if status in AGAIN or status >= 500:
        raise Again(f"{status} {answer.text[:SHOWN]}", read_retry_after(answer.headers.get("Retry-After")))
    if status == 204:
        return {}
    body = read_object(answer)
    if 200 <= status < 300:
        if body is None:
            raise Again(f"{status} without a JSON object: {answer.text[:SHOWN]}")
        if answers_id is not None and body.get("id") != answers_id:
            raise NotTheLedger(f"{what}: {status}, but of {body.get('id')!r}, not of {answers_id}.")
        return body
    if 400 <= status < 500 and body is not None and isinstance(body.get("code"), str):
        raise make_refusal(status, body)
    to = f" to {answer.headers['Location']}" if "Location" in answer.headers else ""
    raise NotTheLedger(f"{what}: {status}{to} is no answer of the ledger's: {answer.text[:SHOWN]}")


def read_object(answer: httpx2.Response) -> Json | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def read_retry_after(text: str | None) -> float:
    """Seconds, from seconds or a date (RFC 9110); 0 for what is neither."""
    try:
        seconds = float(text or 0)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text or "")
        except ValueError:
            return 0
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return seconds if 0 < seconds < float("inf") else 0
