"""Who opens which page and gives which command: the table of `tests/matrix_of_office.py`, by role."""

from urllib.parse import quote

import pytest
from django.contrib import admin
from django.test import Client

from ledger_project.groups import GROUPS
from office.actions import Command
from tests.cast import UserFactory
from tests.matrix_of_office import (
    CHOSEN,
    COMMANDS,
    EMPTY,
    LIST_COMMANDS,
    MODEL_PAGES,
    MODELS,
    OFFICE_ROUTES,
    PAGES,
)
from tests.office.addresses import list_routes, list_urls_of
from tests.office.answers import FORGED_IDS
from tests.office.staff import BACKEND, make_staff, open_office
from tests.office.things import find_id, make_things
from tests.test_matrix import LEADS_TO, take_stock

OFFICE = ("support", "operations", "auditor", "superuser", "api-admin")  # as groups of staff
# What a command asks for when the thing was asked for by somebody else, as everything here was.
OF_OTHERS = {("transactions/correction", "reject"): "transactions.approve_correction"}
OUTSIDE = ("nobody", "holder", "service")
# What the forms of all commands ask for.
FILLED = {
    "reason": "because",
    "identity": "00000000-0000-4000-8000-000000000000",
    "groups": "support",
    "days": "9",
    "type": "DEPOSIT",
    "amount": "1",
    "reference": "x",
    "username": "anna",
    "name": "anna",
    "text": "he called",
}


def has(role: str, permission: str | None) -> bool:
    return permission is None or role == "superuser" or permission in GROUPS[role]


def open_as(role: str) -> Client:
    if role == "superuser":
        return open_office(make_staff(superuser=True))
    if role in OFFICE:
        return open_office(make_staff(role))
    client = Client()
    if role != "nobody":
        user = UserFactory(name=role)
        user.groups.set([group for group in make_staff("operations").groups.all() if role == "service"])
        client.force_login(user, backend=BACKEND)
    return client


LOGGED = dict.fromkeys(("events_recordentry", "events_recordhead", "events_text", "django_session"), 0)


def name(model) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}"


def list_commands(kind: str) -> dict[str, dict[str, Command]]:
    pages = admin.site._registry.items()
    return {name(model): {each.name: each for each in getattr(page, kind)} for model, page in pages}


def test_every_page_of_the_site_is_in_the_table():
    missing = set(list_routes()) - set(OFFICE_ROUTES) - {"login/"}
    assert missing == set(), "give these a line in tests/matrix_of_office.py"


def test_every_model_of_the_site_is_in_the_table_and_there_is_one_of_it():
    assert {name(model) for model in admin.site._registry} == set(MODELS) == set(make_things())


@pytest.mark.parametrize(("kind", "listed"), [("commands", COMMANDS), ("list_commands", LIST_COMMANDS)])
def test_every_command_asks_for_the_permission_of_the_table(kind, listed):
    for model, commands in list_commands(kind).items():
        asked = {name: command.permission for name, command in commands.items()}
        assert asked == {name: listed.get(model, {}).get(name) for name in asked}, (
            f"give the commands of {model} a line in tests/matrix_of_office.py"
        )


@pytest.mark.parametrize("role", OUTSIDE)
def test_who_is_not_staff_is_sent_to_the_login_by_every_page(role):
    """ADM-015."""
    urls = list_urls_of(make_things())
    client = open_as(role)
    before = take_stock()
    for url in urls:
        for answer in (client.get(url), client.post(url, {"reason": "x"})):
            success_url = LEADS_TO.get(url, f"/admin/login/?next={quote(url)}")
            assert (answer.status_code, answer["Location"]) == (302, success_url)
            assert answer.content == b""
    assert {**take_stock(), "django_session": 0} == {**before, "django_session": 0}


@pytest.mark.parametrize("role", OFFICE)
def test_staff_open_what_their_group_may_see_and_change_nothing_on_it(role):
    things = make_things()
    client = open_as(role)
    before = take_stock()
    for model, permission in MODELS.items():
        may = has(role, permission)
        for page in MODEL_PAGES:
            url = f"/admin/{model}/{page.format(object_id=find_id(things[model]))}"
            wanted = {
                "": (200, 200),
                "{object_id}/": (302, 302),
                "{object_id}/change/": (200, 403),
                "{object_id}/history/": (302, 302),
            }.get(page, (403, 403))
            if not may and page in ("", "{object_id}/change/"):
                wanted = (403, 403)
            form = {"post": "yes", "amount": "1", "reason": "x", "_save": "1"}
            assert (client.get(url).status_code, client.post(url, form).status_code) == wanted, (role, url)
    for page, permission in PAGES.items():
        assert client.get(f"/admin/{page}").status_code == (200 if has(role, permission) else 403), page
    for page, permission in CHOSEN.items():
        may = has(role, permission)
        for ask in (client.get, client.post):  # nothing is chosen: it leads back to the list
            assert ask(f"/admin/{page}").status_code == (302 if may else 403), page
    for page, status in EMPTY.items():
        url = page.format(content_type_id=1, object_id=1, url="nothing")
        assert client.get(f"/admin/{url}").status_code == status, page
    for app in {model.split("/")[0] for model in MODELS}:
        sees = any(
            has(role, permission) for model, permission in MODELS.items() if model.startswith(f"{app}/")
        )
        assert client.get(f"/admin/{app}/").status_code == (200 if sees else 404), app
    assert {**take_stock(), **LOGGED} == {**before, **LOGGED}


@pytest.mark.parametrize("role", OFFICE)
def test_a_command_is_shown_and_given_by_who_has_its_permission(role):
    """AUT-014."""
    things = make_things()
    client = open_as(role)
    for model, commands in list_commands("commands").items():
        thing = things[model]
        page = client.get(f"/admin/{model}/{find_id(thing)}/change/").content.decode()
        for command in commands.values():
            url = f"/admin/{model}/{find_id(thing)}/{command.name}/"
            permission = OF_OTHERS.get((model, command.name), COMMANDS[model][command.name])
            may = has(role, MODELS[model]) and has(role, permission)
            assert (f'href="{url}"' in page) == (may and command.applies(thing)), url
            before = take_stock()
            assert client.get(url).status_code == ((200 if command.applies(thing) else 302) if may else 403)
            asks = any(field.required for field in command.form().fields.values())
            if asks or not may:  # what asks for nothing would be done
                assert client.post(url, {} if may else FILLED).status_code == (422 if may else 403), url
            assert {**take_stock(), **LOGGED} == {**before, **LOGGED}
    for model, commands in list_commands("list_commands").items():
        for command in commands.values():
            url = f"/admin/{model}/{command.name}/"
            may = has(role, LIST_COMMANDS[model][command.name])
            statuses = client.get(url).status_code, client.post(url, {} if may else FILLED).status_code
            assert statuses == ((200, 422) if may else (403, 403)), url


@pytest.mark.parametrize("model", MODELS)
def test_what_is_not_there_is_not_told_from_what_may_not_be_seen(model):
    """ADM-014."""
    client = open_office(make_staff())
    thing = make_things()[model]
    for page in ("", *(f"{{}}/{name}/" for name in ("change", *list_commands("commands")[model]))):
        for id in (find_id(thing), "00000000-0000-4000-8000-000000000000", "nothing", "%00"):
            url = f"/admin/{model}/{page.format(id)}"
            assert (client.get(url).status_code, client.post(url, FILLED).status_code) == (403, 403), url


@pytest.mark.parametrize("model", MODELS)
def test_an_id_that_is_none_leads_to_the_list(superuser, model):
    for id in FORGED_IDS:
        for page in ("change", *list_commands("commands")[model]):
            url = f"/admin/{model}/{id}/{page}/"
            answer = superuser.get(url)
            assert (answer.status_code, answer["Location"]) == (302, f"/admin/{model}/"), url
            assert superuser.post(url).status_code == (403 if page == "change" else 302), url
        for ask in (superuser.get, superuser.post):
            assert ask(f"/admin/{model}/{id}/history/").status_code == 302, id


def test_the_sidebar_leads_only_to_what_opens():
    for role in OFFICE:
        client = open_as(role)
        page = client.get("/admin/")
        links = {
            str(item["link"])
            for group in page.context["sidebar_navigation"]
            for item in group["items"]
            if item["has_permission"]
        }
        assert links
        for link in links:
            assert client.get(link).status_code == 200, (role, link)
