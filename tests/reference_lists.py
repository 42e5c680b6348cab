"""The part of the reference ledger that decides lists: what stands in them, and what is declined together."""

from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.reference_claims import ReferenceClaims
from tests.reference_commands import (
    Command,
    Opening,
    Placement,
    Refusal,
    derive_id,
)
from tests.reference_holds import ReferenceHolds
from tests.reference_reversals import Reversal


@dataclass(frozen=True, kw_only=True)
class Release:
    """Of a hold; `item` is that of the same list that places it. `id` is what the tests call it."""

    id: str
    hold: UUID
    account: UUID
    reason: str
    item: int | None = None
    if_open: bool = False

    def list_commands(self, ledger):
        return [self]


class ReferenceLists(ReferenceClaims, ReferenceHolds):
    def list_refusals(self, commands, clock):
        """By id; what is wrong with one leg of a transfer is wrong with both. That of a release is not told
        before it is its turn.
        """
        refusals: dict[Any, Refusal | None] = {}
        for command in commands:
            refusals[command.id] = self._find_static_refusal(command, commands, refusals, clock)
        for command in commands:
            unit = find_unit(command)
            legs = [leg for leg in commands if unit and find_unit(leg) == unit]
            wrong = [refusals[leg.id] for leg in legs if refusals[leg.id] and leg.id not in self.rows]
            if wrong and command.id not in self.rows:
                refusals[command.id] = wrong[0]
        return {id: refusal for id, refusal in refusals.items() if refusal}

    def _find_static_refusal(self, command, commands, refusals, clock):
        if isinstance(command, Placement):
            return self.find_hold_refusal(command, clock)
        if isinstance(command, Opening):
            return self.find_claim_refusal(command)
        if command.hold and command.hold not in self.holds and command.id not in self.rows:
            placed = {other.id for other in commands if isinstance(other, Placement)}
            if command.hold not in placed or refusals[command.hold]:
                return Refusal("not_found")
        return None if isinstance(command, Release) else self.find_refusal(command, clock)

    def find_made(self, command):
        """The row, the hold or the claim that it has made; None: it was not decided yet."""
        spaces = {Placement: self.holds, Opening: self.claims}
        return spaces.get(type(command), self.rows).get(command.id)

    def is_decided(self, command):
        return self.find_made(command) is not None

    def find_reason(self, command):
        """Why it was declined; None of what was posted, and of what was not decided yet."""
        made = self.find_made(command)
        return made and made.reason

    def list_reversals(self, batch, id, reason):
        """What takes back, as the list `id`, what is left of the list `batch`: the last one first."""
        holds = [hold for hold in self.holds.values() if hold.batch == batch and not hold.reason]
        holds.sort(key=lambda hold: (hold.created_at, hold.command.id))
        rows = [row for row in self.rows.values() if row.batch == batch and row.version]
        rows.sort(key=lambda row: (row.recorded_at, row.command.id), reverse=True)
        taken = dict.fromkeys(
            row.command.transfer or row.command.id
            for row in rows
            if not (row.command.reverses or row.command.claim)
        )
        return [
            Release(
                id=f"release of {hold.command.id}",
                hold=hold.command.id,
                account=hold.command.account,
                reason=reason,
                if_open=True,
            )
            for hold in holds
        ] + [
            Reversal(id=derive_id(f"{id}\0reversal\0{target}"), target=target, reason=reason)
            for target in taken
        ]

    def post(self, commands, times, *, request_id, all_or_nothing=False, batch=None, clock=None):
        """Decide in one commit, each at its moment in `times`; those without one were decided or refused.

        The legs of a transfer are posted both or neither; `all_or_nothing` says so of all commands. If a
        withdrawal fails for what comes later in its moment, all is tried again in another order. `clock` is
        that of a new list; without it something must have been decided. The holds that are released as they
        then are, or why they are not, by the ids of their releases.
        """
        if not times and clock is None:
            return {}
        clock = clock or min(times.values())
        self.decided = []
        new = [command for command in commands if not self.is_decided(command)]
        self.expire_all({id for command in new for id in list_accounts(command)}, clock)
        declined = [self.find_made(command) for command in commands if self.find_reason(command)]
        guarded = {
            command.account for command in new if getattr(command, "expected_version", None) is not None
        }
        there = times.keys() | self.holds.keys()
        given = order = [c for c in new if (c.hold in there if isinstance(c, Release) else c.id in times)]
        known = declined[:1] if all_or_nothing else []
        asked = {"request_id": request_id, "batch": batch}
        before = self._take()
        while True:
            groups: dict[Any, list] = {}
            for command in order:
                groups.setdefault(all_or_nothing or find_unit(command) or command.id, []).append(command)
            released: dict[str, Any] = {}
            for group in groups.values():
                self._decide_group(group, times, clock, asked, known, given, released)
            if all_or_nothing and list_refused(released):
                return released
            better = order if known else put_deposits_first(order, self.rows, guarded)
            if better == order:
                if batch and any(not isinstance(released.get(c.id), Refusal) for c in given):
                    accounts = [id for command in commands for id in list_accounts(command)]
                    self.settle(accounts, clock, batch, batch)
                return released
            order = better
            self._restore(before)

    def rehearse(self, commands, clock, **how):
        """The refusals of a list that is decided at that moment, by id."""
        refusals = self.list_refusals(commands, clock)
        times = {command.id: clock for command in commands if command.id not in refusals}
        before = self._take()
        released = self.post(commands, times, clock=clock, request_id="", **how)
        self._restore(before)
        return refusals | list_refused(released)

    def find_sequence(self, account, clock):
        if not (self.find_untold(account, clock) and self.sum_owed(account)):
            return self.count_events(account, clock)
        other = copy(self)
        other.rows, other.decided, other.collected = dict(self.rows), [], {}
        other.events = {id: list(events) for id, events in self.events.items()}
        for name in ("holds", "thresholds", "claims"):
            setattr(other, name, {id: copy(each) for id, each in getattr(self, name).items()})
        other.expire(account, clock)
        return len(other.events[account])

    def _take(self):
        """What `_restore` needs."""
        return (
            len(self.rows),
            {account: len(events) for account, events in self.events.items()},
            {id: copy(hold) for id, hold in self.holds.items()},
            {id: copy(threshold) for id, threshold in self.thresholds.items()},
            {id: copy(claim) for id, claim in self.claims.items()},
            list(self.decided),
        )

    def _restore(self, before):
        """As if nothing had been decided since."""
        rows, events, holds, thresholds, claims, decided = before
        while len(self.rows) > rows:
            self.rows.popitem()
        for account, count in events.items():
            del self.events[account][count:]
        self.holds = {id: copy(hold) for id, hold in holds.items()}
        self.thresholds = {id: copy(threshold) for id, threshold in thresholds.items()}
        self.claims = {id: copy(claim) for id, claim in claims.items()}
        self.decided = list(decided)

    def _decide_group(self, group, times, clock, asked, declined, given, released):
        before = self._take()
        for command in group:
            if not declined:
                made = self._decide_one(command, times, clock, asked, released)
                declined = [made] if made and made.reason else []
                if len(group) > 1 and isinstance(released.get(command.id), Refusal):
                    return
            self._end_unit(command, group, clock, asked)
        if not declined or (declined[0].command.id == group[0].id and len(group) == 1):
            return
        self._restore(before)
        [culprit] = declined
        for command in sorted(group, key=given.index):
            decline = culprit.reason, culprit.details
            if command.id != culprit.command.id:
                unit = find_unit(command)
                is_same = unit and unit == find_unit(culprit.command)
                reason = "transfer_declined" if is_same else "batch_declined"
                decline = reason, {"culprit": str(culprit.command.id)}
            self._decide_one(command, times, clock, asked, released, decline)
            self._end_unit(command, group, clock, asked)

    def _end_unit(self, command, group, clock, asked):
        """Of a list without an id each command is one, of a transfer its last leg."""
        if not asked["batch"]:
            unit = find_unit(command)
            legs = [leg for leg in group if unit and find_unit(leg) == unit] or [command]
            if command is legs[-1]:
                self.settle([id for leg in legs for id in list_accounts(leg)], clock, cause=legs[0].id)

    def _decide_one(self, command, times, clock, asked, released, decline=None):
        """The row or the hold that it makes; None of a release."""
        if isinstance(command, Placement):
            assert times[command.id] == clock
            return self.place_hold(command, clock, batch=asked["batch"], decline=decline)
        if isinstance(command, Opening):
            return self.decide_claim(command, times[command.id], batch=asked["batch"], decline=decline)
        if isinstance(command, Command):
            return self._decide(command, times[command.id], clock, asked, decline)
        refusal = (
            None
            if decline
            else self.release_hold(command.hold, None, clock, if_open=command.if_open, in_list=True)
        )
        released[command.id] = refusal or self.describe_hold(command.hold, clock)
        return None

    def _decide(self, command, recorded_at, clock, asked, decline=None):
        raise NotImplementedError

    def find_refusal(self, command, clock):
        raise NotImplementedError


def put_deposits_first(order, rows, guarded):
    """The order, with the deposits of its moment before the first withdrawal that lacked what they bring.

    None on a guarded account. As it was, if there are none.
    """
    for place, command in enumerate(order):
        if not isinstance(command, Command) or rows[command.id].reason not in (
            "insufficient_funds",
            "insufficient_funds_at",
        ):
            continue
        deposits = [
            other
            for other in order[place:]
            if isinstance(other, Command)
            and other.type == "DEPOSIT"
            and (other.account, other.effective_at) == (command.account, command.effective_at)
            and other.is_plain
        ]
        if command.is_plain and command.effective_at and deposits and command.account not in guarded:
            others = [other for other in order[place:] if other not in deposits]
            return order[:place] + deposits + others
    return order


def list_refused(released):
    return {id: told for id, told in released.items() if isinstance(told, Refusal)}


def list_accounts(command):
    """Those that it works on, but for the other leg of a transfer, which is a command of its own."""
    return command.accounts if isinstance(command, Opening) else [command.account]


def find_unit(command):
    """What is posted or declined as a whole: a transfer, or a capture into accounts."""
    return getattr(command, "capture", None) or getattr(command, "transfer", None)
