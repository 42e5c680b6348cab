"""A dry run right before every command that is sent over HTTP: both must be decided alike."""

from datetime import datetime

from accounts.models import Hold
from tests.dry_runs import require_same_decision, try_out
from tests.histories.clock import START, TICK, count_ticks, set_clock_back

MONEY = ("transactions", "transfers", "holds", "batches")


def rehearse_and_send(client, path, body, method="post", **how):
    """The answer to the command itself, which comes at the moment at which it would have come alone."""
    if not (path.removeprefix("/api/v1/").startswith(MONEY) or path.endswith("/claims")):
        return getattr(client, method)(path, body, **how)
    before = count_ticks()
    ends = list_ends(START + before * TICK, body or {})
    dry = try_out(client, path, body, method, **how)
    set_clock_back(before)
    done = getattr(client, method)(path, body, **how)
    started_at, ended_at = (START + ticks * TICK for ticks in (before, count_ticks()))
    if started_at.date() == ended_at.date() and not any(started_at < end <= ended_at for end in ends):
        require_same_decision(dry, done)  # else both may be right, and differ
    return done


def list_ends(clock, body):
    """When holds end, those that are asked for among them."""
    open_ones = Hold.objects.filter(status="OPEN", expires_at__gt=clock)
    asked = [each["expires_at"] for each in (body, *body.get("commands", ())) if each.get("expires_at")]
    return [*open_ones.values_list("expires_at", flat=True), *map(datetime.fromisoformat, asked)]
