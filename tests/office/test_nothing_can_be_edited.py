"""Nobody edits anything: not a superuser, not with a crafted request, not past the pages.

The cases of `tests/bad_inputs.json` that are tried in the back office are here and in `test_permissions.py`,
by their ids.
"""

import base64
import re

import pytest
from django.contrib import admin
from django.db import Error
from django.db.transaction import atomic
from django.test import Client

from accounts.models import Account, SecondFactor, Token, read_secret
from events.delivery import webhooks
from events.models import Event, Placement, RecordEntry
from tests.bad_inputs import find_cases
from tests.cast import issue_token
from tests.matrix_of_office import EMPTY, MODEL_PAGES, MODELS, PAGES
from tests.office import test_permissions
from tests.office.addresses import list_urls, list_urls_of
from tests.office.staff import make_staff
from tests.office.things import find_id, make_things
from tests.test_matrix import take_stock
from transactions.models import Correction, Transaction

PERMISSIONS = ["has_add_permission", "has_change_permission", "has_delete_permission"]
LOGGED = dict.fromkeys(("events_recordentry", "events_recordhead", "events_text", "django_session"), 0)
ACTIONS = {"transaction": ["reverse_chosen"], "correction": ["approve_chosen"]}  # lead to a page that asks
STATUSES = (200, 302, 400, 403, 404, 405, 422)


def stock():
    return {**take_stock(), **LOGGED}


@pytest.mark.parametrize("model", admin.site._registry, ids=str)
def test_no_page_lets_anybody_edit(model, rf):
    page = admin.site._registry[model]
    request = rf.get("/")
    request.user = make_staff(superuser=True)
    assert [getattr(page, permission)(request) for permission in PERMISSIONS] == [False] * 3
    assert not page.list_editable
    assert not page.inlines
    assert list(page.get_actions(request)) == ACTIONS.get(model._meta.model_name, [])


@pytest.mark.parametrize(
    "query", ["", "?_popup=1", "?_to_field=id", "?_popup=1&_to_field=user__password", "?_saveasnew=1"]
)
def test_no_address_takes_a_change(superuser, query):
    """ADM-002, ADM-003, ADM-005, ADM-007."""
    things = make_things()
    before = stock()
    for model, thing in things.items():
        for page in MODEL_PAGES:
            url = f"/admin/{model}/{page.format(object_id=find_id(thing))}"
            status = superuser.post(url + query, make_form(thing)).status_code
            assert status in STATUSES, url
            if url.endswith(("/add/", "/change/", "/delete/")):
                assert status == 403 or (status == 400 and "_to_field" in query), url
    form = make_form(things["accounts/account"])
    for page in (*PAGES, *EMPTY):
        url = f"/admin/{page.format(content_type_id=1, object_id=1, url='x')}"
        assert superuser.post(url + query, form).status_code in STATUSES, url
    assert stock() == before


def make_form(thing):
    """What the admin of Django would take for a change."""
    values = {
        **{field.name: "1" for field in thing._meta.fields},
        "balance": "999",
        "_save": "1",
        "_saveasnew": "1",
        "_continue": "1",
        "post": "yes",
        "transaction_set-TOTAL_FORMS": "1",
        "transaction_set-INITIAL_FORMS": "0",
        "transaction_set-0-amount": "1",
        "transaction_set-0-type": "DEPOSIT",
    }
    return {name: value for name, value in values.items() if name not in ("reason", "identity")}


@pytest.mark.parametrize("action", ["delete_selected", "nothing", ""])
@pytest.mark.parametrize("model", MODELS)
def test_no_list_takes_an_action_or_a_form(superuser, model, action):
    """ADM-004, ADM-006."""
    things = make_things()
    form = {
        "action": action,
        "_selected_action": [str(things[model].pk)],
        "select_across": "1",
        "post": "yes",
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-status": "CLOSED",
        "_save": "1",
        "form-0-id": str(things["accounts/account"].pk),
    }
    before = stock()
    assert superuser.post(f"/admin/{model}/", form).status_code in (200, 302, 403)
    assert stock() == before


# Conditions of somebody's own, which guess at what is not shown, or would scan a big table.
REFUSED = (
    *("user__password__startswith=pbkdf2", "owner__password__startswith=pbkdf2", "password__startswith=p"),
    *("maker__password__regex=.", "actor__password__contains=p", "actor__password__startswith=p"),
    *("account__user__password__startswith=a", "user__authtoken__digest__startswith=a"),
    *("digest__startswith=a", "digest__gt=0", "_to_field=user__password", "id__in=1,2,x", "pk__in=1"),
    *("pk__gt=x", "pk=x", "id=1", "actor=x", "account_id=x", "email=a", "name=x", "type=user.created"),
    *("amount=1", "amount__gt=0", "balance__gt=x", "is_superuser=1", "groups__name=x", "name__icontains=x"),
    *("metadata__order=7", "status__exact=FROZEN", "url__contains=x", "detail__contains=x"),
    *("data__icontains=x", "request_id__contains=x", "nonsense=1", "%00=1"),
    *("event__data__icontains=x", "event__request_id=x", "stream=x", "sequence__gt=0"),
)
ODD = (
    *("o=99.-1.x", "o=1", "p=x", "p=0", "p=-1", "p=99999999", "p=99999999999999999999", "p=1&p=2", "all="),
    *("all=1", "e=1", "_facets=True", "q=%00", "q=a%00b", "q=%ff", "q=%25", "q='%20OR%201=1", "q=a&q=b"),
    "q=" + "x" * 10_000,
)


@pytest.mark.parametrize("model", MODELS)
def test_a_crafted_list_answers_nothing_it_must_not(superuser, model):
    """ADM-008, ADM-009."""
    make_things()
    before = stock()
    pages = {kind._meta.label_lower: page for kind, page in admin.site._registry.items()}
    of_its_form = pages[
        model.replace("/", ".")
    ].list_form.list_names()  # which says in a sentence what it does not take
    for query in REFUSED:
        if query.partition("=")[0] in of_its_form:
            assert superuser.get(f"/admin/{model}/?{query}").status_code == 200, query
            continue
        assert superuser.get(f"/admin/{model}/?{query}").status_code in (302, 400), query
    for query in ODD:
        assert superuser.get(f"/admin/{model}/?{query}", follow=True).status_code == 200, query
    assert stock() == before


@pytest.mark.parametrize("model", ["account", "user", "transaction", "x", "\x00"])
def test_nothing_is_completed(superuser, model):
    """ADM-016."""
    query = {"app_label": "accounts", "model_name": model, "field_name": "user", "term": "a"}
    assert superuser.get("/admin/autocomplete/", query).status_code == 403


def test_no_page_shows_a_secret(superuser):
    """ADM-019."""
    things = make_things()
    users = type(things["accounts/user"]).objects
    shown = [row.password for row in users.exclude(password="") if row.password]
    secrets = [*shown, issue_token("api-post"), *Token.objects.values_list("digest", flat=True)]
    secrets += [digest[:20] for digest in secrets[-2:]]
    device = SecondFactor.objects.get(user__username="boss")
    secrets += [device.secret, base64.b32encode(read_secret(device.user_id, device.secret)).decode()]
    webhook = things["events/subscription"]
    secrets.append(webhooks.make_secret(webhook.id, webhook.secret_generation))
    assert len(secrets) > 7
    for url in (*list_urls_of(things), *(f"/admin/{model}/?q=a" for model in MODELS)):
        text = superuser.get(url, follow=True).content.decode()
        assert not [secret for secret in secrets if str(secret) in text], url
        assert not re.search(r"pbkdf2|argon2|md5\$|whsec_", text), url


@pytest.mark.parametrize("group", ["api-read", "api-admin"])
def test_a_token_opens_no_page(account, group):
    """AUT-013: whoever's token it is."""
    service = Client(HTTP_AUTHORIZATION=f"Bearer {issue_token(group)}")
    for url in list_urls(account.id):
        assert (service.get(url).status_code, service.post(url).status_code) == (302, 302), url


def test_every_case_of_the_catalogue_about_the_back_office_is_here():
    here = {
        id
        for test in (*globals().values(), *vars(test_permissions).values())
        if callable(test)
        for id in re.findall(r"\b(?:ADM|AUT)-\d{3}\b", test.__doc__ or "")
    }
    assert here == find_cases("office").keys()


# Past the pages


@pytest.fixture
def written(db):
    things = make_things()
    row, decided = things["transactions/transaction"], things["transactions/correction"]
    Correction.objects.update(status="REJECTED", checker=make_staff(), decided_at=row.recorded_at)
    decided.refresh_from_db()
    return {
        Transaction: (row, {"amount": 6}),
        Event: (things["events/placement"].event, {"request_id": "y"}),
        Placement: (things["events/placement"], {"sequence": 9}),
        RecordEntry: (things["events/recordentry"], {"data": {"detail": "y"}}),
        Correction: (decided, {"decision_reason": "y"}),
        Account: (things["accounts/account"], {"currency": "EUR"}),
    }


@pytest.mark.parametrize("model", [Transaction, Event, Placement, RecordEntry, Correction, Account])
def test_the_database_refuses_what_is_done_past_the_pages(written, model):
    row, change = written[model]
    before = take_stock()

    def save():
        for name, value in change.items():
            setattr(row, name, value)
        row.save(force_update=True)

    one = model._base_manager.filter(pk=row.pk)
    for attack in (lambda: one.update(**change), lambda: one._raw_delete(one.db), save):
        with pytest.raises(Error), atomic():
            attack()
    assert take_stock() == before
