from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import tokens
from accounts.models import Token
from ledger.callers import ActorKind, Caller


class Command(BaseCommand):
    help = (
        "Revoke tokens for good, by their first 15 characters: what was stolen, and after a restore what had "
        "been revoked since. The others are revoked even if one is not there (exit status 1)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token_key", nargs="+", help="the first 15 characters of a token")
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *args: Any, token_key: list[str], reason: str, **options: Any) -> None:
        known = set(Token.objects.filter(token_key__in=token_key).values_list("token_key", flat=True))
        caller = Caller(None, ActorKind.COMMAND)
        for key in dict.fromkeys(token_key):
            if key in known:
                revoked = tokens.revoke(token_key=key, caller=caller, reason=reason)
                self.stdout.write(f"{key}: {'revoked' if revoked else 'was revoked before'}")
        if missing := [key for key in dict.fromkeys(token_key) if key not in known]:
            raise CommandError(f"There is no token {', '.join(missing)}.")
