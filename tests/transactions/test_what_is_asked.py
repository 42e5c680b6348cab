"""What is asked in process is refused like a request: by the code that the API has, before any lock."""

from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import uuid_utils
from django.utils.safestring import mark_safe

from accounts import operations
from accounts.errors import UserNotFound
from accounts.idempotency import derive_id
from accounts.models import Account
from ledger.callers import ActorKind, Caller
from ledger.errors import LedgerError
from ledger.text import MetadataInvalid
from rest.codes import STATUS
from tests.cast import CALLER, OrderFactory, day, new_id
from transactions import posting
from transactions.models import Transaction
from transactions.posting import NewBatch
from transactions.posting.commands import (
    Capture,
    ChangeHold,
    NewHold,
    NewTransaction,
    Release,
    Remaining,
    Reversal,
    SetLimits,
    SetMetadata,
    SetStatus,
    Transfer,
)

ID, ACCOUNT, OTHER = new_id(), new_id(), new_id()
PARTS = {
    "id": ID,
    "account_id": ACCOUNT,
    "source_id": ACCOUNT,
    "destination_id": OTHER,
    "hold_id": OTHER,
    "type": Transaction.Type.DEPOSIT,
    "amount": Decimal(1),
    "reason": "a reason",
    "rows": [Transaction(id=ID, account_id=ACCOUNT, type="DEPOSIT", amount=Decimal(1), status="POSTED")],
    "limits": {"credit_limit": Decimal(1), "withdraw_max": None},
    "changes": {"amount": Decimal(1), "expires_at": None},
    "status": Account.Status.FROZEN,
    "metadata": {"a": "b"},
    "asked": [["transaction", {"id": ID, "amount": Decimal(1), "effective_at": day("2023-01-01")}]],
    "atomic": True,
}
KINDS = [
    *(NewTransaction, Transfer, NewHold, Capture, Release, Reversal, SetLimits, SetStatus, SetMetadata),
    *(ChangeHold, NewBatch),
]


def make(kind, **changes):
    needed = {field.name: PARTS[field.name] for field in fields(kind) if field.init and field.name in PARTS}
    return kind(**needed | changes)


EVERY_FIELD = [(kind, field.name) for kind in KINDS for field in fields(kind) if field.init]
EVERY_FIELD.remove((NewBatch, "asked"))  # anything that can be written


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_right_is_taken(kind):
    assert make(kind)


@pytest.mark.parametrize(
    ("kind", "name"), EVERY_FIELD, ids=[f"{kind.__name__} {name}" for kind, name in EVERY_FIELD]
)
def test_no_field_of_any_command_takes_anything(kind, name):
    for value in (object(), b"x", [1], 1.5):
        with pytest.raises(LedgerError) as refusal:
            make(kind, **{name: value})
        assert STATUS[refusal.value.code] == 400


WRONG = [
    ("id", str(ID), "id_invalid"),
    ("id", uuid_utils.uuid7(), "id_invalid"),
    ("account_id", None, "id_invalid"),
    ("type", "deposit", "invalid_choice"),
    ("amount", 1.0, "amount_invalid"),
    ("amount", 1, "amount_invalid"),
    ("amount", "1.00", "amount_invalid"),
    ("amount", Decimal("NaN"), "amount_invalid"),
    ("amount", Decimal(0), "amount_not_positive"),
    ("amount", Decimal(10) ** 13, "amount_too_large"),
    ("effective_at", datetime(2023, 1, 1), "datetime_invalid"),  # noqa: DTZ001
    ("effective_at", date(2023, 1, 1), "datetime_invalid"),
    ("effective_at", "2023-01-01T00:00:00Z", "datetime_invalid"),
    ("effective_at", day("1969-12-31"), "effective_at_too_early"),
    ("reference", None, "invalid_type"),
    ("reference", mark_safe("INV-1"), "invalid_type"),
    ("reference", "a" * 201, "too_long"),
    ("reference", "INV-1 ", "text_padded"),
    ("metadata", None, "metadata_invalid"),
    ("metadata", {"a": 1}, "metadata_invalid"),
    ("metadata", {"a": None}, "metadata_invalid"),
    ("metadata", {1: "a"}, "metadata_invalid"),
    ("metadata", {"a": {"b": "c"}}, "metadata_invalid"),
    ("metadata", {"k" * 41: "v"}, "metadata_too_large"),
    ("metadata", {"k": "v" * 501}, "metadata_too_large"),
    ("metadata", {str(n): "v" for n in range(51)}, "metadata_too_large"),
    ("metadata", {"a\u200b": "v"}, "text_invisible"),
    ("expected_version", -1, "invalid_type"),
    ("expected_version", True, "invalid_type"),
    ("expected_version", 10**18, "invalid_type"),
    ("currency", 840, "invalid_type"),
]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    WRONG,
    ids=[f"{number} {name} {code}" for number, (name, _, code) in enumerate(WRONG)],
)
def test_a_transaction_is_refused_in_the_words_of_the_api(name, value, code):
    with pytest.raises(LedgerError) as refusal:
        make(NewTransaction, **{name: value})
    assert (refusal.value.code, refusal.value.field) == (code, name)


@pytest.mark.parametrize(
    ("kind", "name", "value", "code"),
    [
        (Capture, "final", 0, "invalid_type"),
        (NewHold, "expires_at", datetime(2999, 1, 1), "datetime_invalid"),  # noqa: DTZ001
        (Reversal, "reason", "", "required"),
        (Reversal, "reason", "a" * 501, "too_long"),
        (Reversal, "rows", [], "invalid_type"),
        (SetStatus, "status", "frozen", "invalid_choice"),
        (SetStatus, "reason", "", "required"),
        (SetLimits, "limits", {"credit": Decimal(1)}, "unknown_field"),
        (SetLimits, "limits", {"credit_limit": None}, "invalid_type"),
        (SetLimits, "limits", {"withdraw_max": 1.0}, "amount_invalid"),
        (SetLimits, "limits", {"withdraw_max": Decimal("NaN")}, "amount_invalid"),
        (NewBatch, "asked", [object()], "invalid_type"),
        (Capture, "final", None, "invalid_type"),
        (Capture, "destinations", [(OTHER, Decimal(0))], "invalid_type"),  # beside the one destination
        (Capture, "destination_id", ACCOUNT, "same_account"),
        (ChangeHold, "changes", {"reference": "x"}, "unknown_field"),
        (ChangeHold, "changes", {"amount": None}, "amount_invalid"),
        (ChangeHold, "changes", {"amount": Decimal(0)}, "amount_not_positive"),
        (ChangeHold, "changes", {"expires_at": "2999-01-01T00:00:00Z"}, "datetime_invalid"),
    ],
    ids=[f"{number}" for number in range(19)],
)
def test_other_commands_are_too(kind, name, value, code):
    with pytest.raises(LedgerError) as refusal:
        make(kind, **{name: value})
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([(OTHER, Decimal(0))], "amount_not_positive"),
        ([(OTHER, 1)], "amount_invalid"),
        ([(OTHER, Decimal(10) ** 12)] * 2, "amount_too_large"),
        ([(OTHER, Decimal(1))] * 21, "invalid_type"),
        ([(str(OTHER), Decimal(1))], "invalid_type"),
        ([(OTHER, Decimal(1), 0)], "invalid_type"),
        ([(OTHER, Decimal(1)), (ACCOUNT, Decimal(1))], "same_account"),
    ],
    ids=[f"{number}" for number in range(7)],
)
def test_where_a_capture_goes_is_checked(parts, code):
    with pytest.raises(LedgerError) as refusal:
        make(Capture, destination_id=None, amount=Remaining.ALL, destinations=parts)
    assert refusal.value.code == code


CALLERS = [
    (lambda user: user, "invalid_type"),
    (lambda user: None, "invalid_type"),
    (lambda user: Caller(None), "id_invalid"),
    (lambda user: Caller(str(user)), "id_invalid"),
    (lambda user: Caller(new_id()), "not_found"),
    (lambda user: Caller(user, "robot"), "invalid_choice"),
    (lambda user: Caller(user, ActorKind.LEDGER), "invalid_choice"),
    (lambda user: Caller(user, request_id="a" * 65), "too_long"),
    (lambda user: Caller(user, request_id="a\x00"), "invalid_text"),
    (lambda user: Caller(user, request_id=7), "invalid_type"),
    (lambda user: Caller(user, batch=new_id()), "invalid_type"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("make_caller", "code"), CALLERS, ids=[f"{n}" for n in range(len(CALLERS))])
@pytest.mark.parametrize("way", ["post", "post_or_raise", "posted"])
def test_who_asks_is_somebody(account, way, make_caller, code):
    order = OrderFactory(account=account)
    with pytest.raises(LedgerError) as refusal:
        ask(way, order, make_caller(account.user_id))
    assert refusal.value.code == code
    assert not Transaction.objects.exists()


def ask(way, new, caller, **how):
    """One of the three ways to post."""
    if way != "posted":
        return getattr(posting, way)(new, caller=caller, **how)
    with posting.posted(new, caller=caller, **how) as result:
        return result


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["post", "post_or_raise", "posted"])
def test_an_id_is_chosen_by_somebody(account, way):
    caller, derived = Caller(account.user_id), derive_id(account.user_id, "key")
    for id in (UUID(int=0), UUID(int=2**128 - 1), derived):
        for new in (OrderFactory(account=account, id=id), [make(NewHold, account_id=account.id, id=id)]):
            with pytest.raises(LedgerError) as refusal:
                ask(way, new, caller)
            assert refusal.value.code == "id_invalid"
        with pytest.raises(LedgerError) as refusal:
            ask(way, [], caller, batch=NewBatch(id=id, asked=[], atomic=True))
        assert refusal.value.code == "id_invalid"
    assert not Transaction.objects.exists()
    batch = NewBatch(id=new_id(), asked=[], atomic=True)
    [result] = ask(way, [OrderFactory(account=account, id=derived)], caller, batch=batch)
    assert result.transaction.batch == batch.id


@pytest.mark.django_db
def test_what_is_no_command_is_refused(account):
    caller = Caller(account.user_id)
    for new in (None, "DEPOSIT", [None], {}, OrderFactory):
        with pytest.raises(LedgerError, match="Not a command"):
            posting.post(new, caller=caller)
    with pytest.raises(LedgerError, match="NewBatch"):
        posting.post([OrderFactory(account=account)], caller=caller, batch=new_id())


@pytest.mark.django_db
def test_a_type_in_words_is_one(account):
    result = posting.post(OrderFactory(account=account, type="DEPOSIT"), caller=Caller(account.user_id))
    assert result.transaction.status == "POSTED"


@pytest.mark.django_db
def test_users_and_accounts_are_refused_other_metadata(petya):
    with pytest.raises(MetadataInvalid):
        operations.create_user(id=None, name="x", metadata={"a": 1}, caller=CALLER)
    with pytest.raises(MetadataInvalid):
        operations.create_account(user_id=petya.id, currency="EUR", metadata=["a"], caller=CALLER)
    with pytest.raises(MetadataInvalid):
        operations.change_user(id=petya.id, changes={"metadata": {"a": None}}, caller=CALLER)


@pytest.mark.django_db
def test_somebody_who_is_there_is_looked_up_once(account):
    with pytest.raises(UserNotFound):
        posting.post(OrderFactory(account=account), caller=Caller(id := new_id()))
    operations.create_user(id=id, name="later", caller=CALLER)
    assert posting.post(OrderFactory(account=account), caller=Caller(id)).transaction.actor == id
