"""The door for code of the same process: the functions themselves."""

from functools import singledispatchmethod

from accounts import holds, queries, rules
from accounts.models import Account
from events.errors import LedgerError
from tests.cast import new_id
from tests.histories.answers import Answer, Shown, make_refusal
from tests.reference_commands import Capture, Move, Reversal, Transfer
from transactions import posting
from transactions.models import Transaction
from transactions.orders import Order, order_capture, order_reversal, order_transfer
from transactions.queries import find_transactions, find_whole, read_balance
from transactions.statements import read_statement

REQUEST_ID = "inside"
CHANGES = {"FROZEN": rules.freeze, "ACTIVE": rules.unfreeze, "CLOSED": rules.close}


class Inside:
    def send(self, ask, commands):
        return post(lambda: self._order(ask))

    @singledispatchmethod
    def _order(self, ask):
        raise NotImplementedError

    @_order.register
    def _(self, ask: Move):
        return [make_order(**vars(ask))]

    @_order.register
    def _(self, ask: Transfer):
        asked = dict(vars(ask))
        source, destination = asked.pop("source"), asked.pop("destination")
        return order_transfer(source_id=source, destination_id=destination, **asked)

    @_order.register
    def _(self, ask: Reversal):
        rows = find_whole(Transaction.objects.all(), ask.target)
        return order_reversal(id=ask.id, reason=ask.reason, rows=rows)

    @_order.register
    def _(self, ask: Capture):
        hold = queries.find_hold(ask.hold)
        return [order_capture(id=ask.id, hold=hold, amount=ask.amount, final=ask.final)]

    def post_commands(self, commands, *, together=False, each=False):
        """Commands of all kinds in one commit."""
        asked = [{name: value for name, value in vars(c).items() if name != "other_leg"} for c in commands]
        return post(lambda: [make_order(**fields) for fields in asked], together=together, each=each)

    def place_hold(self, command):
        asked = dict(vars(command))
        account = asked.pop("account")
        return show(holds.place_hold, account_id=account, actor=new_id(), **asked)

    def release_hold(self, id):
        return show(holds.release_hold, id=id)

    def set_limits(self, id, limits):
        return show(rules.set_limits, id=id, limits=limits, request_id=REQUEST_ID)

    def set_status(self, id, status, reason):
        return show(CHANGES[status], id=id, reason=reason, request_id=REQUEST_ID)

    def read_transaction(self, id):
        return find_transactions([id])[id].as_resource()

    def read_balance(self, account, at, known_at):
        return read_balance(Account.objects.filter(id=account), at=at, known_at=known_at).as_resource()

    def read_statement(self, account, first_day, last_day, zone):
        statement = read_statement(
            Account.objects.filter(id=account), first_day=first_day, last_day=last_day, zone=zone
        )
        lines = list(statement.read_lines())
        return {**statement.as_opening(), "lines": lines, **statement.as_closing()}


def post(make_orders, *, together=False, each=False):
    try:
        orders = make_orders()
        if each:
            postings = posting.post_each(orders, actor=new_id(), request_id=REQUEST_ID)
        else:
            postings = posting.post(orders, actor=new_id(), request_id=REQUEST_ID, together=together)
    except LedgerError as error:
        return Answer(refusal=make_refusal(error.code, error.particulars))
    answer = Answer(replayed={}, request_id=REQUEST_ID)
    for order, posted in zip(orders, postings, strict=True):
        if isinstance(posted, LedgerError):
            answer.refusals[order.id] = make_refusal(posted.code, posted.particulars)
        else:
            answer.rows[order.id] = posted.transaction.as_resource()
            answer.replayed[order.id] = posted.replayed
    return answer


def make_order(account, type, **asked):
    return Order(account_id=account, type=Transaction.Type(type), **asked)


def show(act, **asked):
    try:
        answer = act(**asked)
    except LedgerError as error:
        return Shown(refusal=make_refusal(error.code, error.particulars))
    row, replayed = answer if isinstance(answer, tuple) else (answer, False)
    return Shown(resource=row.as_resource(), replayed=replayed)
