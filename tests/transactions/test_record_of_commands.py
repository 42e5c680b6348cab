"""Every command of people of which no event tells has one entry in the record, written with the change."""

import inspect
from decimal import Decimal
from types import FunctionType, SimpleNamespace

import pytest
from django.core.management import call_command

from accounts import staff, tokens
from accounts.models import Token, User
from events import feed, subscriptions
from events.errors import SubscriptionNotFound
from events.models import Cursor, RecordEntry
from events.record import read_told
from ledger.callers import ActorKind, Caller
from tests.cast import AccountFactory, deposit, new_id
from tests.claims import claim
from tests.events.conftest import loopback  # noqa: F401, a fixture
from tests.names import NOBODY
from tests.office.staff import give_device, make_staff
from tests.transactions.correcting import adjust
from transactions import corrections
from transactions.models import Transaction
from transactions.proof.record import find_wrong_entries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback", "limits")]

MODULES = (staff, tokens, subscriptions, corrections)
MEMBER = {"username": "olga", "name": "Olga", "is_staff": True, "is_active": True, "groups": ["support"]}
MEMBER |= {"must_change_password": True}
SUBSCRIBED = {"kind", "url", "types", "status", "cursor", "secret_generation"}
TOKEN = {
    *("user", "username", "created_at", "expires_at", "groups"),
    *("permissions", "account_names", "types", "amount_max"),
}
MADE = {
    *("kind", "account", "type", "amount", "reference", "reverses", "claim", "destination"),
    *("batch", "place", "batch_size", "made_at", "needs_approval", "status", "decided_at"),
}


def adjust_by(world, amount):
    return corrections.adjust(
        id=new_id(),
        account_id=world.account.id,
        type=Transaction.Type.DEPOSIT,
        amount=amount,
        reference="ticket 7",
        **world.why,
    )


# By its type, and what else tells it from others: the function, what is done, and what was so before and
# after, or the names of it.
COMMANDS = {
    "staff.created": (
        staff.create,
        lambda w: staff.create(username="olga", name="Olga", groups=["support"], **w.why),
        ({}, MEMBER),
    ),
    "staff.groups_changed": (
        staff.set_groups,
        lambda w: staff.set_groups(id=w.member.id, groups=["auditor"], **w.why),
        ({"groups": ["support"]}, {"groups": ["auditor"]}),
    ),
    "staff.deactivated": (
        staff.deactivate,
        lambda w: staff.deactivate(id=w.member.id, **w.why),
        ({"is_active": True}, {"is_active": False}),
    ),
    "staff.activated": (
        staff.activate,
        lambda w: staff.activate(id=w.gone.id, **w.why),
        ({"is_active": False}, {"is_active": True}),
    ),
    "staff.password_reset": (
        staff.reset_password,
        lambda w: staff.reset_password(id=w.member.id, **w.why),
        ({}, {"must_change_password": True}),
    ),
    "staff.time_zone_changed": (
        staff.set_time_zone,
        lambda w: staff.set_time_zone(time_zone="Europe/Moscow", caller=w.caller),
        ({"time_zone": "UTC"}, {"time_zone": "Europe/Moscow"}),
    ),
    "staff.second_factor_reset": (
        staff.reset_second_factor,
        lambda w: staff.reset_second_factor(id=w.member.id, **w.why),
        ({"has_second_factor": True}, {"has_second_factor": False}),
    ),
    "staff.unlocked": (
        staff.unlock,
        lambda w: staff.unlock(id=w.member.id, **w.why),
        ({"is_locked_out": False}, {"is_locked_out": False}),
    ),
    "token.issued": (
        tokens.issue,
        lambda w: tokens.issue(name="shop", groups=["api-read"], days=3, **w.why),
        ({"groups"}, {*TOKEN, "is_new_user"}),
    ),
    "token.revoked": (
        tokens.revoke,
        lambda w: tokens.revoke(token_key=w.token.token_key, **w.why),
        ({*TOKEN, "revoked_at"}, {"revoked_at"}),
    ),
    "subscription.created": (
        subscriptions.create,
        lambda w: subscriptions.create(kind="webhook", url=f"{NOBODY}other", caller=w.caller),
        (set(), SUBSCRIBED),
    ),
    "subscription.changed": (
        subscriptions.change,
        lambda w: subscriptions.change(id=w.told.id, types=["transaction.posted"], caller=w.caller),
        ({"types": []}, {"types": ["transaction.posted"]}),
    ),
    "subscription.paused": (
        subscriptions.pause,
        lambda w: subscriptions.pause(id=w.told.id, **w.why),
        ({"status": "ACTIVE"}, {"status": "PAUSED"}),
    ),
    "subscription.resumed": (
        subscriptions.resume,
        lambda w: subscriptions.resume(id=w.paused.id, **w.why),
        ({"status": "PAUSED"}, {"status": "ACTIVE"}),
    ),
    "subscription.tried_now": (
        subscriptions.try_now,
        lambda w: subscriptions.try_now(id=w.told.id, **w.why),
        (set(), set()),
    ),
    "subscription.replayed": (
        subscriptions.replay,
        lambda w: subscriptions.replay(id=w.told.id, after=Cursor(w.told.epoch, 0), **w.why),
        ({"cursor"}, {"cursor"}),
    ),
    "subscription.secret_rotated": (
        subscriptions.rotate_secret,
        lambda w: subscriptions.rotate_secret(id=w.told.id, caller=w.caller),
        ({"secret_generation": 1}, {"secret_generation": 2}),
    ),
    "subscription.deleted": (
        subscriptions.delete,
        lambda w: subscriptions.delete(id=w.told.id, **w.why),
        (SUBSCRIBED, set()),
    ),
    "correction.posted": (corrections.adjust, lambda w: adjust_by(w, Decimal(5)), (set(), MADE)),
    "correction.posted claim": (
        corrections.claim,
        lambda w: corrections.claim(
            id=new_id(), account_id=w.account.id, amount=Decimal(5), reference="7", destination=None, **w.why
        ),
        (set(), MADE),
    ),
    "correction.posted claim back": (
        corrections.claim_back,
        lambda w: corrections.claim_back(id=new_id(), transaction_id=w.row.id, amount=Decimal(5), **w.why),
        (set(), MADE),
    ),
    "correction.posted waiver": (
        corrections.waive,
        lambda w: corrections.waive(id=new_id(), claim_id=claim(AccountFactory(), "5").id, **w.why),
        (set(), MADE),
    ),
    "correction.proposed": (
        corrections.reverse,
        lambda w: corrections.reverse(id=new_id(), transaction_id=w.row.id, amount=w.row.amount, **w.why),
        (set(), MADE),
    ),
    "correction.proposed list": (
        corrections.reverse_all,
        lambda w: corrections.reverse_all(id=new_id(), transaction_ids=[w.row.id], **w.why),
        (set(), MADE),
    ),
    "correction.approved": (
        corrections.approve,
        lambda w: corrections.approve(id=w.waiting.id, **w.why),
        ({"status"}, {"status", "decided_at"}),
    ),
    "correction.rejected": (
        corrections.reject,
        lambda w: corrections.reject(id=w.waiting.id, **w.why),
        ({"status"}, {"status", "decided_at"}),
    ),
}
WITHOUT_REASON = {
    *("subscription.created", "subscription.changed", "subscription.secret_rotated"),
    "staff.time_zone_changed",
}


@pytest.fixture
def world(maker, settings):
    """Somebody who may do everything, and what it is done to."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    boss = make_staff(superuser=True)
    caller = Caller(boss.id, ActorKind.STAFF, "request-1")
    account = AccountFactory()
    member, gone = make_staff("support"), make_staff()
    give_device(member)
    User.objects.filter(id=gone.id).update(is_active=False)
    row = deposit(account, "500")
    feed.place_pending()
    told, paused = (
        subscriptions.create(kind="webhook", url=f"{NOBODY}{name}", caller=caller)[0] for name in "ab"
    )
    subscriptions.pause(id=paused.id, caller=caller)
    tokens.issue(name="engine", groups=["api-read"], days=1, caller=caller)
    return SimpleNamespace(
        caller=caller,
        why={"caller": caller, "reason": "because"},
        account=account,
        member=member,
        gone=gone,
        row=row,
        told=told,
        paused=paused,
        token=Token.objects.get(),
        waiting=adjust(account, maker, "700"),
    )


def is_like(told, wanted):
    return set(told) == wanted if isinstance(wanted, set) else told == wanted


@pytest.mark.parametrize("type", COMMANDS)
def test_every_command_writes_one_entry_with_who_did_what_and_why(world, type):
    _, act, (before, after) = COMMANDS[type]
    known = set(RecordEntry.objects.values_list("id", flat=True))
    act(world)
    [entry] = RecordEntry.objects.exclude(id__in=known)
    type, _, _ = type.partition(" ")
    assert (entry.type, entry.action, entry.subject) == (type, "CHANGE", type.split(".")[0])
    assert (entry.actor, entry.actor_kind, entry.request_id) == world.caller[:3]
    [told] = read_told([entry])
    assert is_like(told.get("before", {}), before), told
    assert is_like(told.get("after", {}), after), told
    assert told.get("reason") == (None if type in WITHOUT_REASON else "because")
    assert list(find_wrong_entries({})) == []


def test_no_entry_holds_a_token_or_what_it_is_known_by(world):
    token, _, _ = tokens.issue(name="shop", groups=["api-read"], days=3, caller=world.caller)
    tokens.revoke(token_key=token[:15], caller=world.caller)
    entries = list(RecordEntry.objects.all())
    everything = f"{[vars(entry) for entry in entries]} {read_told(entries)}"
    assert token[:15] in everything
    assert token not in everything
    assert world.token.digest[:20] not in everything


def test_every_function_that_has_a_caller_is_among_these():
    """A command that somebody adds is a new line here. What has no caller only reads."""
    commands = {
        function
        for module in MODULES
        for name, function in vars(module).items()
        if isinstance(function, FunctionType)
        and function.__module__.startswith(module.__name__)
        and not name.startswith("_")
        and "caller" in inspect.signature(inspect.unwrap(function)).parameters
    }
    assert commands == {function for function, _, _ in COMMANDS.values()}
    readers = ("find_", "get", "is_", "count_", "trace", "require_", "draft", "make_")
    others = {
        f"{module.__name__}.{name}"
        for module in MODULES
        for name, function in vars(module).items()
        if isinstance(function, FunctionType)
        and function.__module__.startswith(module.__name__)
        and not name.startswith(("_", *readers))
        and function not in commands
    }
    assert others == {"accounts.tokens.note_uses"}  # nobody's command: when they were used last


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (lambda w: staff.deactivate(id=w.caller.actor, **w.why), staff.ChangesThemselves),
        (lambda w: tokens.issue(name="x", groups=["none"], days=1, **w.why), tokens.GroupsUnknown),
        (lambda w: subscriptions.pause(id=new_id(), **w.why), SubscriptionNotFound),
    ],
)
def test_what_is_refused_has_no_entry(world, refused, error):
    before = RecordEntry.objects.count()
    with pytest.raises(error):
        refused(world)
    assert RecordEntry.objects.count() == before


def test_what_was_so_before_is_not_done_twice(world):
    before = RecordEntry.objects.count()
    assert tokens.revoke(token_key="none", caller=world.caller) == 0
    subscriptions.delete(id=new_id(), caller=world.caller)
    assert subscriptions.create(kind="webhook", url=world.told.url, caller=world.caller)[1]
    assert RecordEntry.objects.count() == before


def test_operators_commands_are_entries_of_nobody_in_particular(world, monkeypatch, capsys):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a password of a superuser")
    known = set(RecordEntry.objects.values_list("id", flat=True))
    call_command("createsuperuser", interactive=False, username="root")
    call_command("issue_token", "shop", group=["api-read"])
    call_command("reset_second_factor", world.member.username)
    made = RecordEntry.objects.exclude(id__in=known).order_by("id")
    assert [(entry.type, entry.actor, entry.actor_kind) for entry in made] == [
        ("staff.superuser_created", None, "command"),
        ("token.issued", None, "command"),
        ("staff.second_factor_reset", None, "command"),
    ]
    assert capsys.readouterr().out.splitlines()[-1] == f"{world.member.username} had an authenticator app."
    assert list(find_wrong_entries({})) == []
