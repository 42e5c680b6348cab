"""One of everything that the back office has a page for."""

from django.contrib import admin
from django.db.transaction import atomic
from django.test import RequestFactory

from accounts.models import Erasure, Staff, Token
from events import feed, record, subscriptions
from events.models import Placement, RecordEntry
from ledger.callers import ActorKind, Caller
from tests.accounts.noting import note_about
from tests.cast import AccountFactory, deposit, hold, issue_token, new_id
from tests.claims import claim
from tests.names import NOBODY
from tests.office.staff import make_staff
from transactions.models import AuditRun, Correction


def make_things(currency: str = "USD") -> dict[str, object]:
    """By model, as in `matrix_of_office.MODELS`. An unknown one belongs here, too."""
    account = AccountFactory(currency=currency)
    row = deposit(account, "12.50")
    staff = make_staff("support", username="somebody-else", password="a password of somebody else")
    token = issue_token(user=staff)
    webhook, _ = subscriptions.create(kind="webhook", url=NOBODY, caller=Caller(staff.id))
    waiting = Correction.objects.create(
        id=new_id(),
        kind=Correction.Kind.ADJUSTMENT,
        account=account,
        type="DEPOSIT",
        amount=500,
        reference="ticket 7",
        reason="a lost deposit",
        maker=staff,
        request_id="test",
        needs_approval=True,
    )
    run = AuditRun.objects.create(
        id=new_id(), started_at=row.recorded_at, seen_through=row.recorded_at, is_whole=True,
        accounts=1, rows=1, findings=0,
    )  # fmt: skip
    with atomic():
        record.write(
            Caller(staff.id, ActorKind.STAFF, "test"),
            type="account.viewed",
            action=record.Action.VIEW,
            subject="account",
        )
    held = hold(account, "1")
    owed = claim(AccountFactory(currency=currency), "700")
    erasure = Erasure.objects.create(user=AccountFactory().user, reason="a letter of 3 May", maker=staff)
    note = note_about(account.user, staff, is_task=True)
    feed.place_pending()
    things = {
        "accounts/user": account.user,
        "accounts/account": account,
        "accounts/erasure": erasure,
        "accounts/hold": held,
        "accounts/claim": owed,
        "accounts/note": note,
        "accounts/staff": Staff.objects.get(id=staff.id),
        "accounts/token": Token.objects.get(token_key=token[:15]),
        "events/placement": Placement.objects.latest("position"),
        "events/subscription": webhook,
        "events/recordentry": RecordEntry.objects.latest("id"),
        "transactions/auditrun": run,
        "transactions/correction": waiting,
        "transactions/transaction": row,
    }
    return {model: _as_on_its_page(thing) for model, thing in things.items()}


def _as_on_its_page(thing):
    request = RequestFactory().get("/")
    return admin.site._registry[type(thing)].get_queryset(request).get(pk=thing.pk)


def find_subject(model: str) -> str:
    """What the access log calls things of the model."""
    return {"events/placement": "event", "events/recordentry": "record"}.get(model, model.split("/")[1])


def find_id(thing) -> str:
    """What addresses name it by."""
    page = admin.site._registry[type(thing)]
    return str(getattr(thing, getattr(page, "key", "pk")))
