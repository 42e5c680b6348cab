"""Every command of people of which no event tells has one entry in the record, written with the change."""

import inspect
from types import FunctionType, SimpleNamespace

import pytest
from django.core.management import call_command

from accounts import staff, tokens
from accounts.models import Token, User
from events import feed, subscriptions
from events.errors import SubscriptionNotFound
from events.models import RecordEntry
from events.record import read_told
from ledger.callers import ActorKind, Caller
from tests.cast import AccountFactory, deposit, new_id
from tests.events.conftest import loopback  # noqa: F401, a fixture
from tests.names import NOBODY
from tests.office.staff import give_device, make_staff
from tests.transactions.commands_that_are_recorded import COMMANDS, WITHOUT_REASON
from tests.transactions.correcting import adjust
from transactions import corrections
from transactions.proof.record import find_wrong_entries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback", "limits")]

MODULES = (staff, tokens, subscriptions, corrections)


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
