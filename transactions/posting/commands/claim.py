"""What an account owes: opening a claim, and waiving what is left of one.

What is there is collected at the end of the unit that opens the claim (`posting.settling`), as it is of every
later one that brings money.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from accounts.errors import ACCOUNT_CLOSED, BATCH_DECLINED, TOO_MANY_CLAIMS, AccountNotFound, ClaimNotOpen
from accounts.models import CLAIM_TABLE, CLAIMS_MAX, Account, Claim, make_row, replace_row
from events import outbox
from ledger.callers import Caller
from ledger.errors import gettext_noop
from ledger.values import find_changes
from transactions.errors import CurrencyMismatch, SameAccount
from transactions.posting.asked import require_amount, require_asked
from transactions.posting.legs import find_moment, require_scale
from transactions.posting.limits import Decline
from transactions.posting.state import AccountState, Culprit, Decision, Needs, State


@dataclass(slots=True, kw_only=True)
class NewClaim:
    """Claims `amount`, in the account's currency. `destination` is the account that is paid, in the same
    currency; None: what is collected leaves the ledger. `reverses` is a transaction of the account that is
    taken back by it.

    `currency` is a condition, not a part of the command. Raises `SameAccount`, and what `require_amount` and
    `require_asked` do.
    """

    id: UUID
    account_id: UUID
    amount: Decimal
    reason: str
    reference: str = ""
    destination: UUID | None = None
    currency: str | None = None
    reverses: UUID | None = None
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_amount(self.amount)
        require_asked(self)
        if self.destination == self.account_id:
            raise SameAccount("What is collected goes to another account.")
        accounts = (self.account_id, self.destination) if self.destination else (self.account_id,)
        self.needs = Needs(accounts, claim=self.id)

    def find_differences(self, before: Claim) -> list[str]:
        return CLAIM_TABLE.find_differences(self, before)

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `AccountNotFound`, `CurrencyMismatch`, `AmountScale`."""
        return self.open(state, caller, explain(self, culprit) if culprit else None, self.amount)

    def open(
        self, state: State, caller: Caller, decline: Decline | None, amount_asked: Decimal | None
    ) -> tuple[Decision, ...]:
        """`decline` is why it cannot be opened, if that is known."""
        account = state.accounts[self.account_id]
        if self.currency not in (None, account.currency):
            raise CurrencyMismatch(f"The account is in {account.currency}, not in {self.currency}.")
        require_scale(self.amount, account.currency)
        payee = self._find_payee(account, state)
        decline = decline or self._find_decline(account, payee, state)
        reason, details = decline or (None, None)
        moment = find_moment(account, state.clock)  # after all others: of two claims one is the older
        account = account._replace(last_recorded_at=moment)
        claim = make_row(
            Claim,
            {
                "id": self.id,
                "account_id": account.id,
                "amount": self.amount,
                "amount_asked": amount_asked,
                "collected": Decimal(0),
                "collections": 0,
                "status": Claim.Status.DECLINED if reason else Claim.Status.OPEN,
                "decline_reason": reason,
                "decline_details": details,
                "reason": self.reason,
                "reference": self.reference,
                "destination": self.destination,
                "reverses": self.reverses,
                "waived_reason": None,
                "created_at": moment,
                "closed_at": moment if reason else None,
                "actor": caller.actor,
                "request_id": caller.request_id,
                "batch": caller.batch,
                "event_sequence": 0,  # of `tell`
                "currency": account.currency,
            },
            is_stored=False,
        )
        return (tell("claim.declined" if reason else "claim.opened", claim, account),)

    def _find_payee(self, account: AccountState, state: State) -> AccountState | None:
        if self.destination is None:
            return None
        payee = state.accounts.get(self.destination)
        if payee is None:
            raise AccountNotFound("There is no such account to be paid.").about("destination")
        if payee.currency != account.currency:
            raise CurrencyMismatch(f"The account to be paid is in {payee.currency}.").about("destination")
        return payee

    def _find_decline(
        self, account: AccountState, payee: AccountState | None, state: State
    ) -> Decline | None:
        for each in (account, payee):
            if each is not None and each.status == Account.Status.CLOSED:
                return ACCOUNT_CLOSED, {"account": each.id_text}
        if len(state.list_open_claims(account.id)) >= CLAIMS_MAX:
            return TOO_MANY_CLAIMS, {"open": CLAIMS_MAX}
        return None


@dataclass(slots=True, kw_only=True)
class WaiveClaim:
    """Asks no more for what is left. A claim that was waived before is answered as it is."""

    claim_id: UUID
    account_id: UUID
    reason: str
    id: ClassVar[None] = None  # the same claim is waived once
    needs: Needs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_asked(self)
        self.needs = Needs((self.account_id,), claims=(self.claim_id,))

    def decide(self, state: State, caller: Caller, culprit: Culprit | None = None) -> tuple[Decision, ...]:
        """Raises `ClaimNotFound`, `ClaimNotOpen`."""
        claim = state.get_claim(self.claim_id, self.account_id)
        if culprit or claim.status == Claim.Status.WAIVED:
            return (Decision(claim),)
        if claim.status != Claim.Status.OPEN:
            raise ClaimNotOpen(gettext_noop("The claim is not open any more."), claim_status=claim.status)
        account = state.accounts[claim.account_id]
        waived = replace_row(
            claim,
            status=Claim.Status.WAIVED,
            waived_reason=self.reason,
            closed_at=max(state.clock, account.last_recorded_at),  # after what the same list has collected
        )
        return (tell("claim.waived", waived, account, before=claim),)


def explain(claim: "NewClaim", culprit: Culprit) -> Decline:
    """Why the claim is declined, when all of its list is because of the culprit."""
    if isinstance(culprit, Claim) and culprit.id == claim.id:
        return culprit.decline_reason or "", culprit.decline_details or {}
    return BATCH_DECLINED, {"culprit": str(culprit.id)}


def tell(type: str, claim: Claim, account: AccountState, *, before: Claim | None = None) -> Decision:
    """The claim as it has become, the account with what it then owes, and the event of that type."""
    owed = account.owed - (before.remaining if before else 0) + claim.remaining
    account = account._replace(owed=owed, event_sequence=account.event_sequence + 1)
    claim = replace_row(claim, event_sequence=account.event_sequence)
    data = CLAIM_TABLE.to_dict(claim, account.currency)
    was = find_changes(CLAIM_TABLE.to_dict(before, account.currency), data)[0] if before else None
    told = outbox.Told(data, was, "", account.user_id, ())  # all of it is bookkeeping
    return Decision(claim, account, ((type, told),), claim=claim)
