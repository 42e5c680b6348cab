"""Commands about holds and rules, each in one call, as tests like them."""

from decimal import Decimal
from functools import partial

import uuid_utils.compat

from accounts import operations
from accounts.errors import HoldNotFound
from accounts.models import Account, Hold, Threshold
from ledger.callers import Caller
from transactions import posting
from transactions.posting.commands import (
    Capture,
    ChangeHold,
    NewHold,
    Release,
    Remaining,
    RemoveThreshold,
    SetLimits,
    SetStatus,
    SetThreshold,
)

new_id = uuid_utils.compat.uuid7


def post(commands, *, caller, **how):
    """As `posting.post`, for a caller who need not be there: whoever posts requests has looked before."""
    return posting.post_request(posting.PostingRequest(commands=commands, caller=caller, **how))


def ask(command, *, actor=None, request_id="test"):
    [result] = post([command], caller=Caller(actor or new_id(), request_id=request_id))
    return result


def place_hold(*, actor, request_id="", **fields):
    """The hold, and whether it was there before."""
    result = ask(NewHold(**fields), actor=actor, request_id=request_id)
    return result.hold, result.replayed


def find_hold(id):
    hold = Hold.objects.with_clock().filter(id=id).first()
    if hold is None:
        raise HoldNotFound("There is no such hold.")
    return hold


def release_hold(*, id, request_id="", **fields):
    hold = find_hold(id)
    return ask(Release(hold_id=id, account_id=hold.account_id, **fields), request_id=request_id).hold


def change_hold(*, id, changes, request_id="", **fields):
    command = ChangeHold(hold_id=id, account_id=find_hold(id).account_id, changes=changes, **fields)
    return ask(command, request_id=request_id).hold


def set_limits(*, id, limits, request_id, **fields):
    return ask(SetLimits(account_id=id, limits=limits, **fields), request_id=request_id).account


def set_status(*, id, status, reason, request_id, **fields):
    command = SetStatus(account_id=id, status=status, reason=reason, **fields)
    return ask(command, request_id=request_id).account


freeze = partial(set_status, status=Account.Status.FROZEN)
unfreeze = partial(set_status, status=Account.Status.ACTIVE)
close = partial(set_status, status=Account.Status.CLOSED)


def set_threshold(account, amount, of="available", *, request_id="", **fields):
    command = SetThreshold(account_id=account.id, amount=Decimal(amount), of=Threshold.Of(of), **fields)
    return ask(command, request_id=request_id).threshold


def remove_threshold(threshold, *, request_id="", **fields):
    command = RemoveThreshold(account_id=threshold.account_id, threshold_id=threshold.id, **fields)
    return ask(command, request_id=request_id).threshold


def lock_account(id):
    """Until the end of the transaction."""
    operations.lock_rows([id], ("id",))


def capture_of(hold, amount=Remaining.ALL, *, id=None, **fields):
    """The command that withdraws from the hold."""
    return Capture(id=id or new_id(), hold_id=hold.id, account_id=hold.account_id, amount=amount, **fields)
