"""What staff see and do is written down once, in the same transaction, and stays."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.utils.translation import gettext_lazy
from prometheus_client import REGISTRY

from accounts.models import Account
from office import actions
from office.actions import Command
from tests import asking
from tests.matrix_of_office import MODELS
from tests.office.answers import find_accesses
from tests.office.staff import make_staff, open_office
from tests.office.things import find_id, find_subject, make_things

UNSEARCHED = {"events/subscription", "transactions/auditrun"}  # few, all on one page


def lines():
    return [(line.action, line.subject, line.subject_id, line.detail) for line in find_accesses()]


def count(action, subject):
    labels = {"action": action, "subject": subject}
    return REGISTRY.get_sample_value("ledger_office_accesses_total", labels) or 0


@pytest.mark.parametrize("model", MODELS)
def test_looking_at_something_is_one_line(superuser, boss, model):
    thing = make_things()[model]
    before, counted = lines(), count("VIEW", find_subject(model))
    answer = superuser.get(f"/admin/{model}/{find_id(thing)}/change/", HTTP_X_REQUEST_ID="trace-7")
    assert answer.status_code == 200
    assert lines() == [*before, ("VIEW", find_subject(model), find_id(thing), "")]
    assert count("VIEW", find_subject(model)) == counted + 1
    line = find_accesses()[-1]
    assert (line.type, line.actor, line.actor_kind) == (f"{find_subject(model)}.viewed", boss.pk, "staff")
    assert line.request_id == "trace-7"


@pytest.mark.parametrize("model", MODELS)
def test_a_search_is_one_line_with_its_words(superuser, model):
    can_be_searched = bool(superuser.get(f"/admin/{model}/").context["cl"].search_fields)
    assert can_be_searched == (model not in UNSEARCHED)
    if can_be_searched:
        before = lines()
        superuser.get(f"/admin/{model}/", {"q": "ticket 7"})
        assert lines()[len(before) :] == [("SEARCH", find_subject(model), "", "ticket 7")]


def test_looking_at_the_log_is_in_the_log(superuser):
    superuser.get("/admin/events/recordentry/")
    superuser.get("/admin/events/recordentry/?q=x\x00" + "y" * 600)
    assert [line[:2] for line in lines()] == [("VIEW", "record"), ("SEARCH", "record")]
    assert lines()[1][3] == ("x" + "y" * 600)[:500]


@pytest.mark.parametrize("query", ["", "?q=x", "?csv=1", "?format=csv", "?show=holds"])
def test_who_may_not_look_leaves_no_line(account, query):
    nobody = open_office(make_staff())
    for page in (f"accounts/account/{account.id}/change/", "accounts/account/", "events/recordentry/"):
        assert nobody.get(f"/admin/{page}{query}").status_code == 403
    assert lines() == []


@pytest.mark.parametrize("path", ["?q=x", "{id}/change/"])
def test_what_cannot_be_recorded_is_not_shown_nor_why_it_fails(superuser, account, path):
    with connection.cursor() as cursor:  # until the end of the test
        cursor.execute("ALTER TABLE events_recordentry RENAME TO a_table_elsewhere")
    superuser.raise_request_exception = False
    answer = superuser.get(f"/admin/accounts/account/{path.format(id=account.id)}")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "<h1>" in text
    for inner in (str(account.id), "recordentry", "ProgrammingError", "Traceback", "request_id"):
        assert inner not in text
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


# Changes


def run(obj, asked):
    if asked["reason"] == "refuse":
        raise ValidationError({"reason": gettext_lazy("Not so.")})
    if asked["reason"] == "fail":
        raise ConnectionError
    asking.freeze(id=obj.id, reason=asked["reason"], request_id="test")
    if asked["reason"] == "half":
        raise ValidationError("Only half of it went.")
    return "Frozen."


FREEZE = Command(
    name="freeze",
    label=gettext_lazy("Freeze"),
    permission="accounts.freeze_account",
    run=lambda request, obj, asked: run(obj, asked),
)


@pytest.fixture
def give(rf, boss):
    """Give the command, as its page would."""

    def give(account, reason):
        request = rf.post("/", {"reason": reason}, HTTP_X_REQUEST_ID="trace-7")
        request.user = boss
        request.session = {}
        request._messages = type("Said", (list,), {"add": lambda said, *what: said.append(what)})()
        return actions.run(FREEZE, request, account, of="account", success_url="/admin/", context={})

    return give


def test_a_change_and_its_line_with_the_reason_are_one(give, account):
    assert give(account, "they asked").status_code == 302
    assert lines() == [("CHANGE", "account", str(account.id), "freeze")]
    [line] = find_accesses()
    assert (line.reason, line.request_id) == ("they asked", "trace-7")
    assert Account.objects.get().status == "FROZEN"


@pytest.mark.parametrize("reason", ["refuse", "half", "", "x" * 501, "\x00"])
def test_a_refused_change_leaves_no_line_and_no_half(give, account, reason):
    assert give(account, reason).status_code == 422
    assert lines() == []
    assert Account.objects.get().status == "ACTIVE"


def test_a_change_that_fails_leaves_nothing(give, account):
    with pytest.raises(ConnectionError):
        give(account, "fail")
    assert lines() == []


def test_without_its_line_nothing_is_changed(give, account):
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE events_recordentry ADD CONSTRAINT never CHECK (action <> 'CHANGE') NOT VALID"
        )
    with pytest.raises(DatabaseError):
        give(account, "they asked")
    assert Account.objects.get().status == "ACTIVE"
