"""A dry run right before every command that is sent over HTTP: both must be decided alike."""

from datetime import datetime

from accounts.models import Hold
from tests.dry_runs import require_same_decision, try_out
from tests.histories.clock import START, TICK, count_ticks, set_clock_back

MONEY = ("transactions", "transfers", "holds", "batches")


def rehearse_and_send(client, path, body):
    """The answer to the command itself, which comes at the moment at which it would have come alone."""
    if not path.removeprefix("/api/v1/").startswith(MONEY):
        return client.post(path, body)
    before = count_ticks()
    dry = try_out(client, path, body)
    set_clock_back(before)
    done = client.post(path, body)
    if not is_time_over(before, count_ticks(), body or {}):
        require_same_decision(dry, done)
    return done


def is_time_over(before, after, body):
    """Whether a day or a hold ended while the command was decided: then both may be right, and differ."""
    started_at, ended_at = START + before * TICK, START + after * TICK
    ends = {"status": "OPEN", "expires_at__gt": started_at, "expires_at__lte": ended_at}
    asked = [each["expires_at"] for each in (body, *body.get("commands", ())) if each.get("expires_at")]
    return (
        started_at.date() != ended_at.date()
        or Hold.objects.filter(**ends).exists()
        or any(started_at < datetime.fromisoformat(moment) <= ended_at for moment in asked)
    )
