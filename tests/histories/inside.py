"""The door for code of the same process: the functions themselves."""

from datetime import date
from functools import singledispatchmethod

from accounts.models import Account, Claim, Hold, Threshold
from ledger.callers import Caller
from ledger.errors import LedgerError
from rest.times import parse_time
from tests import asking
from tests.cast import new_id
from tests.histories.answers import Answer, Shown, make_refusal
from tests.reference_captures import Capture
from tests.reference_commands import Move, Opening, Placement, Refusal, Transfer
from tests.reference_lists import Release
from tests.reference_reversals import Reversal
from transactions import posting, reading
from transactions.models import Batch, Transaction
from transactions.posting import NewBatch, PostingRequest, commands
from transactions.reading.queries import find_batch_rows, find_transactions, find_whole
from transactions.reading.statements import read_statement

REQUEST_ID = "inside"


class Inside:
    def send(self, ask, asked):
        return self.post_many([ask])

    @singledispatchmethod
    def _make(self, ask):
        raise NotImplementedError

    @_make.register
    def _(self, ask: Move):
        asked = dict(vars(ask))
        account, type = asked.pop("account"), Transaction.Type(asked.pop("type"))
        asked["effective_at"] = make_moment(ask.effective_at)
        return commands.NewTransaction(account_id=account, type=type, **asked)

    @_make.register
    def _(self, ask: Transfer):
        asked = dict(vars(ask))
        source, destination = asked.pop("source"), asked.pop("destination")
        asked["effective_at"] = make_moment(ask.effective_at)
        return commands.Transfer(source_id=source, destination_id=destination, **asked)

    @_make.register
    def _(self, ask: Reversal):
        rows = find_whole(Transaction.objects.all(), ask.target)
        if ask.claim:
            return commands.ClaimedReversal(id=ask.id, reason=ask.reason, rows=rows, amount=ask.amount)
        asked = {name: value for name, value in vars(ask).items() if name != "claim"}
        asked["transaction_id"], asked["effective_at"] = asked.pop("target"), make_moment(ask.effective_at)
        return commands.Reversal(rows=rows, **asked)

    @_make.register
    def _(self, ask: Capture):
        amount = commands.Remaining.ALL if ask.amount is None else ask.amount
        names = ("id", "final", "reference", "metadata", "expected_version")
        asked = {name: getattr(ask, name) for name in names}
        if isinstance(ask.to, tuple):
            asked["destinations"], amount = ask.to, commands.Remaining.ALL
        else:
            asked["destination_id"] = ask.to
        hold, account = ask.hold, getattr(ask, "account", None) or asking.find_hold(ask.hold).account_id
        return commands.Capture(hold_id=hold, account_id=account, amount=amount, **asked)

    @_make.register
    def _(self, ask: Placement):
        asked = dict(vars(ask))
        return commands.NewHold(account_id=asked.pop("account"), **asked)

    @_make.register
    def _(self, ask: Opening):
        asked = {name: value for name, value in vars(ask).items() if name != "part"}
        return commands.NewClaim(account_id=asked.pop("account"), **asked)

    @_make.register
    def _(self, ask: Release):
        fields = {"reason": ask.reason, "if_open": ask.if_open}
        return commands.Release(hold_id=ask.hold, account_id=ask.account, **fields)

    def post_many(self, asks, batch=None, **way):
        """Commands of all kinds in one commit, perhaps as a list with an id."""
        if batch:
            told = [list(map(str, vars(ask).values())) for ask in asks]
            batch = NewBatch(id=batch, asked=told, atomic="all_or_nothing" in way)
        return post(asks, lambda: [self._make(ask) for ask in asks], batch=batch, **way)

    def post_list(self, asks, ledger, *, id, atomic):
        return self.post_many(asks, batch=id, **{"all_or_nothing" if atomic else "each": True})

    def take_back(self, asks, ledger, *, id, batch, reason):
        """The asks are what the model expects; what is posted is made of the rows."""
        holds = Hold.objects.with_clock().filter(batch=batch).order_by("created_at", "id")
        taken = posting.make_reversals(id, reason, find_batch_rows(batch), holds)
        if not taken:
            return Answer(refusal=Refusal("not_reversible"))
        new = NewBatch(id=id, asked=["reverse"], atomic=True, metadata={"of": str(batch), "reason": reason})
        return post(asks, lambda: taken, batch=new, all_or_nothing=True)

    def read_list(self, id):
        """When it was decided, its transactions, and its holds."""
        holds = Hold.objects.with_clock().filter(batch=id).order_by("created_at", "id")
        rows = [row.to_dict() for row in find_batch_rows(id)]
        return Batch.objects.get(id=id).recorded_at, rows, [hold.to_dict() for hold in holds]

    def place_hold(self, command):
        asked = dict(vars(command))
        account = asked.pop("account")
        return show(asking.place_hold, account_id=account, actor=new_id(), **asked)

    def read_hold_etag(self, id):
        return Hold.objects.get(id=id).etag

    def change_hold(self, id, changes, etag, expected):
        command = commands.ChangeHold(
            hold_id=id,
            account_id=asking.find_hold(id).account_id,
            changes=changes,
            if_match=None if etag is None else [etag],
            expected_sequence=expected,
        )
        shown = show(lambda: asking.ask(command, request_id=REQUEST_ID).hold)
        if shown.resource and shown.resource["decline_reason"]:  # which is told, and not kept
            return Shown(refusal=Refusal(shown.resource["decline_reason"]))
        return shown

    def open_claim(self, ask):
        """Of a claim, or of a reversal that is one."""

        def act():
            result = asking.ask(self._make(ask), request_id=REQUEST_ID)
            return result.claim, result.replayed

        return show(act)

    def waive_claim(self, id, reason):
        account = Claim.objects.get(id=id).account_id
        command = {"claim_id": id, "account_id": account, "reason": reason}
        return show(lambda: asking.ask(commands.WaiveClaim(**command), request_id=REQUEST_ID).claim)

    def release_hold(self, id, expected):
        return show(asking.release_hold, id=id, expected_sequence=expected)

    def set_limits(self, id, limits, expected):
        asked = {"limits": limits, "expected_sequence": expected, "request_id": REQUEST_ID}
        return show(asking.set_limits, id=id, **asked)

    def set_threshold(self, account, of, amount, expected):
        command = commands.SetThreshold(
            account_id=account, of=Threshold.Of(of), amount=amount, expected_sequence=expected
        )

        def act():
            threshold = asking.ask(command, request_id=REQUEST_ID).threshold
            return threshold, threshold.id != command.threshold_id

        return show(act)

    def remove_threshold(self, threshold):
        command = commands.RemoveThreshold(account_id=threshold.account, threshold_id=threshold.id)
        asking.ask(command, request_id=REQUEST_ID)

    def set_status(self, id, status, reason, expected):
        asked = {"reason": reason, "expected_sequence": expected, "request_id": REQUEST_ID}
        return show(asking.set_status, id=id, status=Account.Status(status), **asked)

    def read_etag(self, id):
        return Account.objects.get(id=id).etag

    def set_metadata(self, id, metadata, etag):
        if_match = None if etag is None else [etag]
        command = commands.SetMetadata(account_id=id, metadata=metadata, if_match=if_match)
        return show(lambda: asking.ask(command, request_id=REQUEST_ID).account)

    def read_transaction(self, id):
        return find_transactions([id])[id].to_dict()

    def read_balance(self, account, at, known_at):
        return reading.read_balance(Account.objects.filter(id=account), at=at, known_at=known_at).to_dict()

    def read_statement(self, account, first_day, last_day, zone):
        statement = read_statement(
            Account.objects.filter(id=account), first_day=first_day, last_day=last_day, zone=zone
        )
        return {**statement.as_opening(), "lines": [*statement.read_lines()], **statement.as_closing()}


def make_moment(moment):
    """A day as requests give it to the engine."""
    return parse_time(moment.isoformat()) if type(moment) is date else moment


def post(asks, make, **how):
    try:
        request = PostingRequest(commands=make(), caller=Caller(new_id(), request_id=REQUEST_ID), **how)
        results = posting.post_request(request)
    except LedgerError as error:
        return Answer(refusal=make_refusal(error.code, error.extensions))
    answer = Answer(replayed={}, request_id=REQUEST_ID)
    decided = zip(request.commands, results, strict=True)
    of_asks = [
        (command, result) for command, result in decided if isinstance(result, LedgerError) or result.made
    ]
    for ask, (command, result) in zip(asks, of_asks, strict=True):
        ids = command.needs.rows or (ask.id,)
        if isinstance(result, LedgerError):
            answer.refusals |= dict.fromkeys(ids, make_refusal(result.code, result.extensions))
            continue
        answer.replayed |= dict.fromkeys(ids, result.replayed)
        answer.collected += [row.id for row in result.collected]
        if isinstance(command, commands.NewClaim | commands.ClaimedReversal):
            answer.claims[ask.id] = result.claim.to_dict()
        elif command.needs.rows:
            answer.rows |= {row.id: row.to_dict() for row in result.transactions}
        else:
            answer.holds[ask.id] = result.hold.to_dict()
    return answer


def show(act, **asked):
    try:
        answer = act(**asked)
    except LedgerError as error:
        return Shown(refusal=make_refusal(error.code, error.extensions))
    row, replayed = answer if isinstance(answer, tuple) else (answer, False)
    return Shown(resource=row.to_dict(), replayed=replayed)
