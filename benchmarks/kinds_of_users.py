"""Who uses a ledger, each kind at its own pace: what locust runs for `python -m benchmarks users`.

Locust patches the network of its process when it is imported, so this is never imported by another program.
It reads the world that was made for it, and leaves what it asked and what it was told, in two files.
"""

import hmac
import itertools
import json
import os
import random
import re
import time
from base64 import b32decode
from pathlib import Path
from typing import Any

import uuid_utils.compat
from locust import FastHttpUser, between, events, task

from benchmarks.told import Told

WORLD = json.loads(Path(os.environ["LEDGER_WORLD"]).read_text())
ANSWER = Path(os.environ["LEDGER_ANSWER"])
API = "/api/v1"
DECIDED = (201, 402, 422)  # posted, or declined for ever
TRIES_MAX, PAUSE_SECONDS = 20, 0.2
WAIT_SECONDS = 3  # of a long poll
HOT_WEIGHTS = [1 / rank for rank in range(1, len(WORLD["hot"]) + 1)]  # Zipf: the second is half as hot
SHOPPERS = itertools.cycle(WORLD["shoppers"])
STAFF = itertools.cycle(WORLD["staff"])
told = Told()


def make_id() -> str:
    return str(uuid_utils.compat.uuid7())


def choose_amount() -> str:
    return f"{random.randint(1, 2000) / 100:.2f}"  # noqa: S311, no secret


def choose_account() -> str:
    return str(random.choice(WORLD["shoppers"])["account"])  # noqa: S311


class Person(FastHttpUser):
    """Asks with the world's token. An answer that is not expected is a failure, and so is none."""

    abstract = True
    network_timeout = connection_timeout = 30.0

    def ask(self, what: str, method: str, path: str, body: Any = None, *, expected: Any = (200,)) -> Any:
        """Status (0: none) and answer of one request, which is counted under its kind and `what`."""
        name = f"{type(self).__name__}: {what}"
        headers = {"Authorization": f"Bearer {WORLD['token']}"}
        with self.client.request(
            method, path, name=name, json=body, headers=headers, catch_response=True
        ) as response:
            text = response.text or ""
            answer = json.loads(text) if text[:1] == "{" else {"text": text}
            if response.status_code in expected:
                response.success()
            else:
                response.failure(f"{response.status_code} {answer.get('code', '')}")
            return response.status_code, answer

    def get(self, what: str, path: str) -> Any:
        return self.ask(what, "GET", API + path)[1]

    def post(self, what: str, path: str, body: dict[str, Any], **known: str) -> Any:
        """By the client's rule: the same request until its answer is final. What it said is kept.

        `known` is what the row will have and the body does not say.
        """
        for _ in range(TRIES_MAX):
            status, answer = self.ask(what, "POST", API + path, body, expected=DECIDED)
            if 0 < status < 500 and status != 409:
                told.hear(path, body | known, status, answer)
                return status, answer
            time.sleep(PAUSE_SECONDS)
        told.unknown.append(body["id"])
        return status, answer

    def move(self, what: str, type: str, account: str) -> None:
        """One deposit or withdrawal."""
        self.post(
            what,
            "/transactions",
            {"id": make_id(), "account": account, "type": type, "amount": choose_amount()},
        )


class Payer(Person):
    """Pays into and out of accounts of which a few are asked for by everybody."""

    weight = 12
    wait_time = between(0.2, 1)

    @task(3)
    def pay_in(self) -> None:
        self.move("pay in", "DEPOSIT", self.choose_hot())

    @task
    def pay_out(self) -> None:
        self.move("pay out", "WITHDRAW", self.choose_hot())

    def choose_hot(self) -> str:
        [account] = random.choices(WORLD["hot"], HOT_WEIGHTS)  # noqa: S311
        return str(account)


class Shopper(Person):
    """Has an account: looks at it, fills it up, spends, sends to others, and pays by a hold."""

    weight = 14
    wait_time = between(0.5, 2.5)

    def on_start(self) -> None:
        self.account = next(SHOPPERS)["account"]

    @task(4)
    def look(self) -> None:
        self.get("balance", f"/accounts/{self.account}/balance")

    @task(3)
    def deposit(self) -> None:
        self.move("deposit", "DEPOSIT", self.account)

    @task(3)
    def withdraw(self) -> None:
        self.move("withdraw", "WITHDRAW", self.account)

    @task(2)
    def transfer(self) -> None:
        other = choose_account()
        if other != self.account:
            body = {"id": make_id(), "source": self.account, "destination": other, "amount": choose_amount()}
            self.post("transfer", "/transfers", body)

    @task(2)
    def buy(self) -> None:
        body = {"id": make_id(), "account": self.account, "amount": choose_amount()}
        status, hold = self.post("hold", "/holds", body)
        if status != 201:
            return
        time.sleep(random.uniform(0.2, 1))  # noqa: S311
        if random.random() < 0.3:  # noqa: S311
            self.ask("release", "POST", f"{API}/holds/{hold['id']}/release", {})
        else:
            taken = {"id": make_id(), "amount": body["amount"]}
            self.post("capture", f"/holds/{hold['id']}/capture", taken, account=self.account)


class Campaign(Person):
    """Follows the feed from its beginning, and waits where it ends. A gap in it is a failure."""

    weight = 4
    wait_time = between(0, 0.2)
    cursor, position = "", 0

    @task
    def poll(self) -> None:
        after = f"&after={self.cursor}" if self.cursor else ""
        page = self.get("feed", f"/events?limit=100&wait={WAIT_SECONDS}{after}")
        for event in page.get("events", ()):
            if self.position and event["position"] != self.position + 1:
                told.gaps.append(f"after position {self.position} came {event['position']}")
            self.position = event["position"]
        self.cursor = page.get("cursor", self.cursor)


class Support(Person):
    """In the back office, by a password and a code of an authenticator app. Finds people and accounts."""

    weight = 2
    wait_time = between(1, 4)

    def on_start(self) -> None:
        staff = next(STAFF)
        page = self.visit("login page", "/admin/login/")
        page = self.send(
            "password", "/admin/login/", page, username=staff["username"], password=staff["password"]
        )
        found = re.search(r'data-secret="([A-Z2-7]{32})"', page)
        if found is None:  # no page, which is a failure already
            return
        page = self.send("code", "/admin/second-factor/", page, otp_token=make_code(found[1]))

    @task(3)
    def find_somebody(self) -> None:
        shopper = random.choice(WORLD["shoppers"])  # noqa: S311
        self.visit("find a user", f"/admin/find/?q={shopper['external_id']}", wanted=shopper["user"])
        self.visit("user", f"/admin/accounts/user/{shopper['user']}/change/", wanted=shopper["account"])
        self.visit(
            "account", f"/admin/accounts/account/{shopper['account']}/change/", wanted=shopper["account"]
        )

    @task
    def look_around(self) -> None:
        self.visit("dashboard", "/admin/", wanted="Dashboard")
        self.visit("transactions", "/admin/transactions/transaction/", wanted="changelist")

    def visit(self, what: str, path: str, *, wanted: str = "", method: str = "GET", data: Any = None) -> str:
        """A page, which must have something in it: one that leads back to the login has not."""
        headers = {"Referer": f"{self.host}{path}"}
        with self.client.request(
            method, path, name=f"Support: {what}", data=data, headers=headers, catch_response=True
        ) as response:
            text = response.text or ""
            if response.status_code != 200 or wanted not in text:
                response.failure(f"{response.status_code}, without {wanted}")
            else:
                response.success()
            return text

    def send(self, what: str, path: str, page: str, **fields: str) -> str:
        """The page's form with its token, and the page that comes after it."""
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        fields |= {"csrfmiddlewaretoken": found[1] if found else "", "next": ""}
        return self.visit(what, path, method="POST", data=fields)


def make_code(secret: str) -> str:
    """RFC 6238, as an authenticator app does it."""
    digest = hmac.digest(b32decode(secret), (int(time.time()) // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


class Bookkeeper(Person):
    """Asks for last month's statements."""

    weight = 2
    wait_time = between(1, 4)

    @task
    def statement(self) -> None:
        first, last = WORLD["month"]
        lines = self.get("statement", f"/accounts/{choose_account()}/statement?from={first}&to={last}")[
            "lines"
        ]
        if not lines:
            told.gaps.append("a statement of last month has no lines")


class Analyst(Person):
    """Asks what accounts had at some moment, by what is known now and by what was known then."""

    weight = 4
    wait_time = between(0.5, 2)

    @task(2)
    def at(self) -> None:
        self.get(
            "balance at a date", f"/accounts/{choose_account()}/balance?at={self.choose_day()}T12:00:00Z"
        )

    @task
    def as_known(self) -> None:
        moment = WORLD["known_at"]
        self.get(
            "balance as known",
            f"/accounts/{choose_account()}/balance?at={self.choose_day()}T12:00:00Z&known_at={moment}",
        )

    def choose_day(self) -> str:
        return f"{WORLD['month'][0][:8]}{random.randint(1, 28):02d}"  # noqa: S311


class Clerk(Person):
    """Reads lists, page after page."""

    weight = 2
    wait_time = between(0.5, 2)

    @task(2)
    def transactions(self) -> None:
        page = self.get("transactions of an account", f"/transactions?account={choose_account()}&page_size=5")
        if page.get("next"):
            self.ask("next page", "GET", page["next"].partition(self.host)[2])

    @task
    def users(self) -> None:
        shopper = random.choice(WORLD["shoppers"])  # noqa: S311
        self.get("user by external id", f"/users?external_id={shopper['external_id']}")

    @task
    def holds(self) -> None:
        self.get("open holds", f"/holds?account={choose_account()}&status=OPEN")


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def leave_answer(environment: Any, **_: Any) -> None:
    """What was asked, by kind and request, and all that was told."""
    asked = [
        {
            "name": entry.name,
            "requests": entry.num_requests,
            "failures": entry.num_failures,
            **{f"p{part}": entry.get_response_time_percentile(part / 100) for part in (50, 95, 99)},
        }
        for entry in environment.stats.entries.values()
    ]
    errors = [f"{each.name}: {each.error} ({each.occurrences})" for each in environment.stats.errors.values()]
    errors += [f"in the load itself: {each['msg']}" for each in environment.runner.exceptions.values()]
    ANSWER.write_text(json.dumps({"asked": asked, "errors": errors, "told": told.to_dict()}))
