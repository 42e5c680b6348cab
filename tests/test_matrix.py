"""Every address, every method, every role: the answers are what the rules of `tests/matrix.py` say."""

import json
import re
from dataclasses import replace

import pytest
from django.db import connection
from django.db.transaction import atomic, set_rollback
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.models import Account
from events.models import CURSOR_LENGTH
from ledger_project.groups import AUDIT, CLAIM, CORRECT, FREEZE, GROUPS, POST, RULE
from rest.viewsets import known_tokens
from tests import matrix
from tests.cast import transfer
from tests.database import empty_the_ledger, take_stock
from tests.matrix import FOREIGN, HOLDER, LISTS, MISSING, OF_FEED, OWN, ROLES, ROUTES, WITHOUT_VALID_TOKEN
from tests.routes import find_routes
from tests.scene import Scene
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

OBJECTS = sorted(route for route in ROUTES if any(cell.whose for cell in matrix.list_cells(route)))
OUTSIDE = [route for route in ROUTES if ROUTES[route] is not matrix.OFFICE]
QUERIES = ("at=2020-01-01", "known_at=2020-01-01", "at=never", "currency=EUR", "account=x", "nonsense=1")

# Of the back office. The way out leads over the front page, which sends on to the login.
LEADS_TO = {
    "/admin/logout/": "/admin/",
    "/admin/second-factor/": "/admin/login/",
    "/admin/language/": "/",
}
CODES = {403: "permission_denied", 404: "not_found", 405: "method_not_allowed"}
CODES_OF_401 = {
    "no token": "not_authenticated",
    "bad token": "token_invalid",
    "expired token": "token_expired",
    "disabled user": "token_invalid",
}
CURSOR = re.compile(b'"cursor":"[\\w-]{%d}"' % CURSOR_LENGTH)


@pytest.fixture(scope="module")
def scene(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), override_settings(WEBHOOK_LOOPBACK=True):
        yield Scene()
        empty_the_ledger()


def find_wrong(scene, cells):
    """The cells that answer otherwise than the rules say, or change what they must not."""
    wrong = []
    before = take_stock()
    for cell in cells:
        is_write = bool(cell.rule and cell.rule.bodies and cell.status < 400)
        with atomic():
            answer = scene.ask(cell)
            changed = is_write and take_stock() != before
            set_rollback(is_write)
        if answer.status_code != cell.status or changed != is_write or not is_of_its_kind(answer, cell):
            wrong.append(
                f"{cell.method} as {cell.role} ({cell.whose}): {answer.status_code}, not {cell.status}"
            )
    assert take_stock() == before
    return wrong


def is_of_its_kind(answer, cell):
    """Refusals of the API name their code, and the permission; whom the back office does not know is sent to
    its login. No cache keeps anything of either.
    """
    path, status = answer.wsgi_request.path, answer.status_code
    code = CODES_OF_401[cell.role] if status == 401 else CODES.get(status)
    if path.startswith(("/api/v1/", "/admin/")) and "no-store" not in answer.headers.get("Cache-Control", ""):
        return False
    if answer.status_code == 302:
        return answer["Location"] == LEADS_TO.get(path, f"/admin/login/?next={path}")
    if not (code and path.startswith("/api/v1/")) or answer.wsgi_request.method == "HEAD":
        return True
    problem = answer.json()
    if status == 403 and problem["permission"] != cell.rule.permission:
        return False
    return problem["code"] == code and (status == 401) == ("WWW-Authenticate" in answer)


def test_every_route_of_the_url_configuration_is_in_the_table_and_asked_with_every_method_by_every_role():
    found, listed = find_routes(), {route.replace("{spare}", "{account}") for route in ROUTES}
    assert found - listed == set(), "give these a line in tests/matrix.py or tests/matrix_of_office.py"
    assert listed - found == set(), "these lines are of routes that are not there"
    for route in ROUTES:
        asked = {(cell.method, cell.role) for cell in matrix.list_cells(route)}
        roles = matrix.OFFICE_ROLES if ROUTES[route] is matrix.OFFICE else ROLES
        assert asked == {(method, role) for method in matrix.METHODS for role in roles}


def test_the_table_can_be_printed(capsys):
    matrix.print_table()
    printed = capsys.readouterr().out
    assert "| `/api/v1/users/{user}` | GET | 401 | 200 " in printed
    assert f"{len(ROUTES)} routes" in printed


def test_what_groups_may_change_is_what_their_work_is():
    changing = {
        group: {permission for permission in permissions if ".view_" not in permission}
        for group, permissions in GROUPS.items()
    }
    assert {group for group, permissions in changing.items() if not permissions} == {
        *("api-read", "monitoring")
    }
    note = {"accounts.add_note"}
    assert changing["support"] == FREEZE | note
    assert changing["auditor"] == AUDIT | note
    assert changing["operations"] == RULE | CORRECT | CLAIM | AUDIT | note | {"accounts.erase_user"}
    # By the API nobody corrects, and in the back office nobody posts past the approval of others.
    assert not (changing["api-admin"] & CORRECT) - {"events.change_subscription"}
    assert not changing["operations"] & (POST | {"accounts.add_staff", "accounts.change_staff"})


@pytest.mark.parametrize("route", ROUTES)
def test_a_method_that_is_served_answers_as_the_rules_say(scene, route):
    assert find_wrong(scene, [cell for cell in matrix.list_cells(route) if cell.rule]) == []


@pytest.mark.parametrize("route", OUTSIDE)
def test_a_token_of_one_permission_may_what_that_allows_and_no_more(scene, route):
    cells = list(matrix.list_single_cells(route))
    assert find_wrong(scene, cells) == []
    # Whatever is not for everybody is allowed to one of them, and refused to all the others.
    for method in {cell.method for cell in cells}:
        rule = matrix.find_rule(route, method)
        passing = {cell.role for cell in cells if cell.method == method and cell.status != 403}
        assert passing == ({rule.permission} if rule.permission else {*matrix.SINGLE})


@pytest.mark.parametrize("route", OUTSIDE)
def test_a_method_that_is_not_served_is_refused(scene, route):
    assert find_wrong(scene, [cell for cell in matrix.list_cells(route) if not cell.rule]) == []


def trace(scene, cell, query=""):
    """All that a caller can tell an answer by, but for the request id and a cursor, which is always another
    text; and what it cost.
    """
    known_tokens.clear()
    with CaptureQueriesContext(connection) as queries:
        answer = scene.ask(cell, query)
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    request_id = answer["X-Request-Id"].encode()
    content = CURSOR.sub(b'"cursor":""', answer.content.replace(request_id, b""))
    return answer.status_code, headers, content, len(queries)


@pytest.mark.parametrize("route", OBJECTS)
def test_what_is_foreign_answers_like_what_is_missing(scene, route):
    compared = 0
    for cell in matrix.list_cells(route):
        missing = replace(cell, whose=MISSING)
        if cell.whose == FOREIGN and cell.status == missing.status:
            assert trace(scene, cell) == trace(scene, missing), cell
            compared += 1
    assert compared >= len(matrix.METHODS)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("route", [route for route in OBJECTS if "{" in route])
def test_a_question_about_what_is_foreign_answers_like_one_about_what_is_missing(scene, route, query):
    cells = [matrix.Cell(route, "GET", HOLDER, whose) for whose in (FOREIGN, MISSING)]
    foreign, missing = (trace(scene, cell, f"?{query}") for cell in cells)
    assert foreign == missing


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("api/v1/")])
def test_whoever_has_no_valid_token_is_told_the_same_of_everything(scene, route):
    cells = [cell for cell in matrix.list_cells(route) if cell.role in WITHOUT_VALID_TOKEN]
    for method in matrix.METHODS:
        traces = {role: [] for role in WITHOUT_VALID_TOKEN}
        for cell in cells:
            if cell.method == method:
                traces[cell.role].append(trace(scene, cell)[:3])
        for of_role in traces.values():
            assert of_role
            assert of_role == [of_role[0]] * len(of_role), method
        assert traces["bad token"] == traces["disabled user"]


@pytest.mark.parametrize("role", [*GROUPS, HOLDER])
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_shows_everything_to_who_may_see_it_and_to_others_only_their_own(scene, kind, role):
    rows = scene.clients[role].get(f"/api/v1/{kind}?page_size=500").json()["results"]
    key, object = {
        "users": ("id", "user"),
        "holds": ("account", "account"),
        "claims": ("account", "debts"),
        "subscriptions": ("id", "subscription"),
    }.get(kind, ("user", "user"))
    everybody = {role: str(objects[object]) for role, objects in scene.objects.items()}
    sees = matrix.find_rule(f"api/v1/{kind}", "GET").sees in matrix.RIGHTS[role]
    assert {row[key] for row in rows} == ({*everybody.values()} if sees else {everybody[role]})
    assert sees == (role not in (HOLDER, "monitoring"))


@pytest.mark.parametrize(
    ("kind", "filter", "found"),
    [
        *((kind, each, "results") for kind in LISTS for each in LISTS[kind]),
        *(("events", each, "events") for each in OF_FEED),
    ],
)
def test_a_filter_by_what_is_foreign_finds_the_same_nothing_as_by_what_is_missing(scene, kind, filter, found):
    def look(whose):
        query = scene.fill(f"?{filter}", HOLDER, whose)
        return trace(scene, matrix.Cell(f"api/v1/{kind}", "GET", HOLDER, whose), query)

    assert look(FOREIGN) == look(MISSING)
    assert json.loads(look(MISSING)[2])[found] == []
    assert json.loads(look(OWN)[2])[found]


@pytest.mark.parametrize("role", [*GROUPS, HOLDER])
def test_the_feed_tells_everything_to_who_may_see_it_and_to_others_only_of_their_accounts(scene, role):
    page = scene.clients[role].get("/api/v1/events?limit=500").json()
    told = {event["account"] for event in page["events"]}
    everybodys = {str(id) for id in Account.objects.values_list("id", flat=True)}
    own = {str(id) for id in scene.users[role].accounts.values_list("id", flat=True)}
    sees = matrix.EVENT in matrix.RIGHTS[role]
    assert told == ({*everybodys, None} if sees else own)  # None: of a user, whom it makes
    assert page["has_more"] is False


def test_of_a_transfer_with_somebody_else_ones_own_leg_is_whole_and_the_other_one_says_nothing_of_them(scene):
    accounts = [Account.objects.get(id=scene.objects[role]["account"]) for role in (HOLDER, FOREIGN)]
    for source, destination in (accounts, reversed(accounts)):
        with atomic():
            withdrawal = transfer(source, destination, "1", reference="rent", metadata={"a": "b"})
            legs = Transaction.objects.filter(transfer=withdrawal.id)
            ask = scene.clients[HOLDER].get
            seen = {leg.account_id: ask(f"/api/v1/transactions/{leg.id}").status_code for leg in legs}
            assert seen == {accounts[0].id: 200, accounts[1].id: 404}
            shown = ask(f"/api/v1/transfers/{withdrawal.id}").json()
            own, other = shown["source"], shown["destination"]
            if source == accounts[1]:
                own, other = other, own
            whole = scene.clients["api-read"].get(f"/api/v1/transfers/{withdrawal.id}").json()
            assert [whole["source"]["account"], whole["destination"]["account"]] == [
                str(source.id),
                str(destination.id),
            ]
            assert own in (whole["source"], whole["destination"])
            assert own["account"] == str(accounts[0].id)
            [row] = legs.filter(account=accounts[1])
            assert {name: value for name, value in other.items() if value is not None} == {
                "id": str(row.id),
                "account": str(accounts[1].id),
                "type": row.type,
                "amount": "1.00",
                "currency": "USD",
                "status": "POSTED",
                "effective_at": own["effective_at"],
                "recorded_at": own["recorded_at"],
                "transfer": str(withdrawal.id),
            }
            assert str(accounts[1].user_id) not in json.dumps(shown)
            for role in ("expired token", "disabled user"):
                assert scene.clients[role].get(f"/api/v1/transfers/{withdrawal.id}").status_code == 401
            set_rollback(True)


def test_private_metrics_ask_for_a_permission_of_their_own(scene, settings):
    settings.METRICS_PUBLIC = False
    for role in (*ROLES, *matrix.SINGLE):
        answer = scene.ask(matrix.Cell("metrics", "GET", role, None))
        if role in WITHOUT_VALID_TOKEN:
            assert (answer.status_code, answer.json()["code"]) == (401, CODES_OF_401[role])
            assert answer["WWW-Authenticate"].startswith("Bearer")
        elif role in ("monitoring", "accounts.view_metrics"):
            assert answer.status_code == 200, role
        else:
            assert (answer.status_code, answer.json()["permission"]) == (403, "accounts.view_metrics"), role
