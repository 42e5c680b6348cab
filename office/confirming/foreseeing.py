"""What a command would come to, before it is given: the engine's own answer. Nothing is locked or written."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Claim, Hold
from office import explanations
from transactions import posting
from transactions.models import Correction, Transaction, derive_destination_id
from transactions.posting import PostingRequest, PostingResult
from transactions.reading import queries


class Figure(NamedTuple):
    """An amount of an account as it is, and as it would be; None: that is not known yet."""

    label: Promise
    now: Decimal
    then: Decimal | None


class Side(NamedTuple):
    """An account that a command is about, with what would become of its figures."""

    account: Account
    figures: list[Figure]


class Line(NamedTuple):
    """One of many that are taken back together: `made` is what would become of it, or has.

    `taken` is what is taken back. Both may be unknown: nothing was made of what was rejected.
    """

    correction: Correction
    taken: Transaction | None
    made: Transaction | None
    why: dict[str, Any] | None


class Sum(NamedTuple):
    """Of the lines in one currency: how many they are and what they come to."""

    currency: str
    lines: int
    amount: Decimal


class Foreseen(NamedTuple):
    """What would come of a command: to each account, or of a list to each of its lines.

    `why` it would be declined, as `describe_decline` tells it, or `refusal` why it would not be taken.
    `after` is how it would leave the accounts.
    """

    sides: Sequence[Side] = ()
    why: dict[str, Any] | None = None
    refusal: Any = ""
    after: Mapping[UUID, Any] = MappingProxyType({})
    lines: Sequence[Line] = ()

    @property
    def sums(self) -> list[Sum]:
        return add_up([line.correction for line in self.lines])

    @property
    def is_done(self) -> bool:
        """Whether the lines tell what has become of them."""
        return any(line.correction.status != Correction.Status.WAITING for line in self.lines)

    @property
    def declined(self) -> int:
        """Of the lines."""
        return sum(line.why is not None for line in self.lines)


def foresee(
    asked: PostingRequest | None, account_id: UUID, *, after: Mapping[UUID, Any] | None = None
) -> Foreseen:
    """Of the accounts that are asked about, or else of this one. None: what is asked is not known yet.

    `after`: the accounts as something else has left them, which is foreseen before.
    """
    then: Mapping[UUID, Any] = {}
    refusal: Any = ""
    why = None
    ids = list(dict.fromkeys(asked.account_ids)) if asked else [account_id]
    with posting.reading_one_moment(briefly=True):
        found = Account.objects.with_held_due().select_related("user").in_bulk(ids)
        if asked:
            try:
                rehearsed = posting.rehearse(asked, after=after or {})
            except explanations.REFUSED as error:
                refusal, _field = explanations.explain_refusal(error)
            else:
                then = rehearsed.accounts
                why = _explain([each for each in rehearsed.answers if isinstance(each, PostingResult)], found)
    accounts = [found[id] for id in ids if id in found]
    return Foreseen([_make_side(each, then, after or {}) for each in accounts], why, refusal, then)


def _explain(results: Sequence[PostingResult], accounts: Mapping[UUID, Account]) -> dict[str, Any] | None:
    culprit: Transaction | Hold | Claim | None = posting.find_culprit(results)
    account = culprit and accounts.get(culprit.account_id)
    return explanations.describe_decline(culprit, account.currency if account else "")


def _make_side(account: Account, then: Mapping[UUID, Any], before: Mapping[UUID, Any]) -> Side:
    now, later = before.get(account.id), then.get(account.id)
    figures = [
        Figure(_("Balance"), now.balance if now else account.balance, later and later.balance),
        Figure(_("Held"), now.held if now else account.held_now, later and later.held),
        Figure(_("Available"), now.available if now else account.available, later and later.available),
        Figure(_("Owed"), now.owed if now else account.owed, later and later.owed),
    ]
    is_owing = figures[-1].now or figures[-1].then
    return Side(account, figures if is_owing else figures[:-1])


def foresee_list(asked: PostingRequest, corrections: Sequence[Correction]) -> Foreseen:
    """What would become of each; `asked` has a command for each of them."""
    answers = posting.rehearse(asked).answers
    rows = {row.id: row for each in answers if isinstance(each, PostingResult) for row in each.transactions}
    return Foreseen(lines=_make_lines(corrections, rows))


def look_back(corrections: Sequence[Correction]) -> Foreseen:
    """What has become of each."""
    ids = [id for each in corrections for id in (each.id, derive_destination_id(each.id))]
    return Foreseen(lines=_make_lines(corrections, queries.find_transactions(ids)))


def _make_lines(corrections: Sequence[Correction], rows: Mapping[UUID, Transaction]) -> list[Line]:
    taken = queries.find_transactions(each.reverses for each in corrections if each.reverses)
    lines = []
    for each in corrections:
        ids = (each.id, derive_destination_id(each.id))
        made = [rows[id] for id in ids if id in rows]
        lines.append(
            Line(
                each,
                taken.get(each.reverses) if each.reverses else None,
                next((row for row in made if row.account_id == each.account_id), None),
                explanations.describe_decline(
                    posting.find_culprit([PostingResult(made)]), each.account.currency
                ),
            )
        )
    return lines


def add_up(corrections: Sequence[Correction]) -> list[Sum]:
    """What they come to in each currency."""
    sums: dict[str, Sum] = {}
    for each in corrections:
        currency = each.account.currency
        _currency, lines, amount = sums.get(currency, Sum(currency, 0, Decimal(0)))
        sums[currency] = Sum(currency, lines + 1, amount + each.amount)
    return list(sums.values())
