"""The catalogue of bad inputs (`bad_inputs.json`), as requests. tests/rest/test_bad_inputs.py sends them."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.raw_requests import Answer, Request

Case = Mapping[str, Any]

TRANSACTIONS = "/api/v1/transactions"
SUBSCRIPTION = "/api/v1/subscriptions/{{webhook_id}}"
REPEATED = re.compile(r"<<(.+?) \* ([0-9]+)>>")


def repeat(match: re.Match[str]) -> str:
    """`<<x * 3>>` is xxx, and `<<x#, * 3>>` is x0,x1,x2,"""
    text, count = match[1], int(match[2])
    return text * count if "#" not in text else "".join(text.replace("#", str(n)) for n in range(count))


CATALOGUE = json.loads(REPEATED.sub(repeat, Path(__file__).with_suffix(".json").read_text()))
CASES: dict[str, Case] = {case["id"]: case for case in CATALOGUE["cases"]}


def find_cases(where: str) -> dict[str, Case]:
    """Those that are tried here, at a server, by a delivery, or in the back office."""
    return {id: case for id, case in CASES.items() if case["where"] == where}


def make_request(case: Case, fill: Callable[[str], str]) -> Request:
    """The case, or a step of one, with its placeholders filled."""
    headers, body = {"Host": "localhost"}, case.get("body")
    if caller := case.get("caller", "token"):
        headers["Authorization"] = f"Bearer {{{{{caller}}}}}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    given = case.get("headers", [])
    own = {name.lower() for name, _ in given}
    pairs = [*((name, value) for name, value in headers.items() if name.lower() not in own), *given]
    return Request(
        case["method"],
        fill(case["target"]),
        [(name, fill(value)) for name, value in pairs],
        fill(body or "").encode("utf-8", "surrogateescape"),
    )


def is_expected(case: Case, answer: Answer) -> bool:
    """Whether it is the answer that the catalogue says; it may leave the code open."""
    return answer.status == case["status"] and case["code"] in (None, answer.code)
