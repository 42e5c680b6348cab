"""The door for code of the same process: the functions themselves."""

from datetime import date
from functools import singledispatchmethod

from accounts.models import Account
from ledger.callers import Caller
from ledger.errors import LedgerError
from rest.times import parse_time
from tests import asking
from tests.cast import new_id
from tests.histories.answers import Answer, Shown, make_refusal
from tests.reference_commands import Capture, Move, Reversal, Transfer
from transactions import posting, reading
from transactions.models import Transaction
from transactions.posting import NewBatch, PostingRequest, commands
from transactions.reading.queries import find_transactions, find_whole
from transactions.reading.statements import read_statement

REQUEST_ID = "inside"


class Inside:
    def send(self, ask, asked):
        return post(lambda: [self._make(ask)])

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
        version = ask.expected_version
        return commands.Reversal(id=ask.id, reason=ask.reason, rows=rows, expected_version=version)

    @_make.register
    def _(self, ask: Capture):
        amount = commands.Remaining.ALL if ask.amount is None else ask.amount
        names = ("id", "final", "reference", "metadata", "expected_version")
        asked = {name: getattr(ask, name) for name in names}
        return asking.capture_of(asking.find_hold(ask.hold), amount, **asked)

    def post_many(self, asks, batch=None, **way):
        """Commands of all kinds in one commit, perhaps as a list with an id."""
        if batch:
            told = [list(map(str, vars(ask).values())) for ask in asks]
            batch = NewBatch(id=batch, asked=told, atomic="all_or_nothing" in way)
        return post(lambda: [self._make(ask) for ask in asks], batch=batch, **way)

    def place_hold(self, command):
        asked = dict(vars(command))
        account = asked.pop("account")
        return show(asking.place_hold, account_id=account, actor=new_id(), **asked)

    def release_hold(self, id, expected):
        return show(asking.release_hold, id=id, expected_sequence=expected)

    def set_limits(self, id, limits, expected):
        asked = {"limits": limits, "expected_sequence": expected, "request_id": REQUEST_ID}
        return show(asking.set_limits, id=id, **asked)

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


def post(make, **how):
    try:
        request = PostingRequest(commands=make(), caller=Caller(new_id(), request_id=REQUEST_ID), **how)
        results = posting.post_request(request)
    except LedgerError as error:
        return Answer(refusal=make_refusal(error.code, error.extensions))
    answer = Answer(replayed={}, request_id=REQUEST_ID)
    for command, result in zip(request.commands, results, strict=True):
        if isinstance(result, LedgerError):
            for id in command.needs.rows:
                answer.refusals[id] = make_refusal(result.code, result.extensions)
        else:
            for row in result.transactions:
                answer.rows[row.id] = row.to_dict()
                answer.replayed[row.id] = result.replayed
    return answer


def show(act, **asked):
    try:
        answer = act(**asked)
    except LedgerError as error:
        return Shown(refusal=make_refusal(error.code, error.extensions))
    row, replayed = answer if isinstance(answer, tuple) else (answer, False)
    return Shown(resource=row.to_dict(), replayed=replayed)
