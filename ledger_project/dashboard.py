"""The first page of the back office."""

from typing import Any

from django.http import HttpRequest


def describe(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return context
