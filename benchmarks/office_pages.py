"""Every page of the back office, for what is measured of each: its tabs, lists, filters and confirmations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.http import urlencode

from accounts import operations
from office.admin import OfficeAdmin
from office.lists import fields
from office.lists.forms import PERIOD_MAX, ListForm, PeriodForm

NOTHING = "there is no such thing"
Examples = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """`address` names examples: `{account}`. `chosen` are sent to it, as the boxes of a list are.

    `follow`: a part of a link on it, to be followed ten times first. It `walks` if it tries rows of a list
    which an index does not carry.
    """

    title: str
    address: str
    follow: str = ""
    chosen: str = ""
    walks: bool = False


# One of each: its address, and the example. Then its tabs, and what it is asked to confirm.
THINGS = {
    "accounts/user": ("{user}", ("history", "notes"), ("note", "forget")),
    "accounts/account": (
        "{account}",
        ("period", "declines", "holds", "claims", "events", "thresholds", "history", "notes"),
        ("freeze", "adjust", "limits", "close", "claim", "set-threshold", "audit", "note"),
    ),
    "accounts/hold": ("{hold}", ("history",), ("release",)),
    "accounts/claim": ("{claim}", (), ("waive",)),
    "accounts/erasure": ("{erasure}", (), ("approve", "reject")),
    "accounts/note": ("{note}", (), ("done",)),
    "accounts/staff": ("{staff}", (), ("groups", "deactivate", "password")),
    "accounts/token": ("{token}", (), ("revoke",)),
    "events/placement": ("{placement}", (), ()),
    "events/subscription": ("{subscription}", (), ("pause", "replay", "test", "try-now")),
    "events/recordentry": ("", (), ()),
    "transactions/auditrun": ("{audit}", (), ()),
    "transactions/correction": ("{correction}", (), ("approve", "reject")),
    "transactions/transaction": ("{transaction}", ("history", "notes"), ("reverse", "claim", "note")),
}
LIST_COMMANDS = ("transactions/auditrun/audit/", "accounts/staff/create/", "accounts/token/issue/")
PAGES = (
    Page("dashboard", ""),
    Page("dashboard, 30 days", "?range=30d"),
    Page("operations", "operations/"),
    Page("own settings", "settings/"),
    Page("changes of staff", "changes/"),
    Page("changes of staff, by name", "changes/?who=bench"),
    Page("changes of staff, by a name nobody has", f"changes/?{urlencode({'who': NOTHING})}"),
    Page("find", "find/"),
    Page("customers seen last", "find/recent/"),
    *(
        Page(f"find by {what}", f"find/?{urlencode({'q': words})}")
        for what, words in {
            "name": "bench 7",
            "name, with an error": "bemch",
            "external id": "bench-77",
            "reference": "order 50",
            "reference, of most": "order 1",
            "amount": "10.00 today",
            "nothing": NOTHING,
        }.items()
    ),
    Page("find by user id", "find/?q={user}"),
    Page("find by transaction id", "find/?q={transaction}"),
    Page("find, the second page", "find/?q=bench&people=1"),
    Page("find by key", "find/?key=order-1&caller={user}"),
    Page("users, searched", "accounts/user/?q=bench+77"),
    Page("accounts, searched", "accounts/account/?q=bench+77"),
    Page("transactions, searched by reference", "transactions/transaction/?q=order+50"),
    Page("events, searched by account", "events/placement/?q={account}"),
    Page("notes, mine", "accounts/note/?which=mine"),
    Page("notes, all", "accounts/note/?which=all"),
    Page("notes, about a user", "accounts/note/?q={user}"),
    Page("corrections, all", "transactions/correction/?state=all"),
    Page("erasures, all", "accounts/erasure/?state=all"),
    Page("access log of something", "events/recordentry/?q={account}"),
    Page("access log of somebody", "events/recordentry/?who=boss"),
    Page("access log of nobody", f"events/recordentry/?{urlencode({'who': NOTHING})}"),
    Page("access log, changed only", "events/recordentry/?action=CHANGE"),
    Page("access log, exported only", "events/recordentry/?action=EXPORT", walks=True),
    Page("a list of corrections that waits", "transactions/correction/{batch}/change/"),
    Page("a list of corrections, to be approved", "transactions/correction/{batch}/approve/"),
    Page("a late transaction", "transactions/transaction/{late}/change/"),
    Page("a declined transaction", "transactions/transaction/{declined}/change/"),
    Page(
        "reverse together, 20 transactions",
        "transactions/transaction/reverse-together/",
        chosen="transactions",
    ),
    Page(
        "approve together, 20 corrections", "transactions/correction/approve-together/", chosen="corrections"
    ),
    *(
        Page(
            f"what somebody did: {kind}", f"accounts/{of}/change/?show=done&kind={kind}&{{month}}", walks=True
        )
        for of in ("user/{boss}",)
        for kind in ("transactions", "holds", "changes")
    ),
    *(
        Page(f"account: {title}", f"accounts/account/{{account}}/change/?{query}", follow)
        for title, query, follow in (
            ("statement, ten pages on", "show=statement", "after="),
            ("statement of all", "show=period&first_day=1970-01-01&last_day=2099-12-31", ""),
            (
                "statement of all, ten pages on",
                "show=period&first_day=1970-01-01&last_day=2099-12-31",
                "after=",
            ),
            ("time machine, a month ago", "at={month_ago}", ""),
            ("time machine, both times", "at={month_ago}&known_at={week_ago}", ""),
            ("time machine, deep page", "at={month_ago}&known_at={week_ago}", "after="),
            ("declines, ten pages on", "show=declines", "before="),
            ("history, ten pages on", "show=history", "before="),
            ("chart of a day", "range=day", ""),
            ("chart of a month", "range=month", ""),
            ("chart of a year", "range=year", ""),
            ("chart of all", "range=all", ""),
            ("CSV of a page", "format=csv", ""),
        )
    ),
)


def list_pages() -> Iterator[Page]:
    """Every page but for the filters of lists."""
    yield from PAGES
    for address in LIST_COMMANDS:
        yield Page(address, address)
    for model, (example, tabs, commands) in THINGS.items():
        name = model.split("/")[1]
        yield Page(f"list: {name}", f"{model}/")
        yield Page(f"list: {name}, ten pages on", f"{model}/{find_period(model)}", follow="after=")
        if example:
            address = f"{model}/{example}/change/"
            yield Page(name, address)
        for tab in tabs:
            yield Page(f"{name}: {tab}", f"{address}?show={tab}")
        for command in commands:
            yield Page(f"{name}: to be confirmed, {command}", f"{model}/{example}/{command}/")


def find_form(model: str) -> type[ListForm]:
    app, name = model.split("/")
    return next(
        page.list_form
        for of, page in admin.site._registry.items()
        if isinstance(page, OfficeAdmin) and (of._meta.app_label, of._meta.model_name) == (app, name)
    )


def find_period(model: str) -> str:
    return "?{month}" if issubclass(find_form(model), PeriodForm) else ""


def list_filters() -> Iterator[Page]:
    """Every list, in every order, with every filter and each of its choices: one that rows fit, and one that
    none fits. Where there must be a period, of a month.
    """
    for model in THINGS:
        form = find_form(model)
        period = find_period(model).lstrip("?")
        choices = {name: list(list_values(name, field)) for name, field in form.base_fields.items()}
        asked = [
            *((name, value, "") for name, values in choices.items() for value in values),
            *(("order", order, "") for order in form.orders),
            *(("order", order, narrowed) for order in form.orders for narrowed in list_misses(choices)),
        ]
        for name, value, narrowed in asked:
            is_of_period = name in ("since", "until")
            parts = [f"{name}={value}", narrowed, "" if is_of_period else period]
            yield Page(
                f"list: {model.split('/')[1]}, {name}={value}" + (f", {narrowed}" if narrowed else ""),
                f"{model}/?{'&'.join(filter(None, parts))}",
                walks=True,
            )


def list_values(name: str, field: forms.Field) -> Iterator[str]:
    """What is asked for under this name. Of a text and of a number: what most have, and what none has."""
    match field:
        case forms.ChoiceField():
            yield from (str(value) for value, _title in field.widget.choices if value)
        case fields.Number():
            yield from ("1", "987654321")
        case fields.Id():
            yield from ("{account}", "{user}", "{nobody}")
        case fields.Caller():
            yield from ("bench-boss", "{idle}")
        case fields.Moment():
            yield from ("{day}", "{today}")
        case _ if name == "currency":
            yield from ("USD", "JPY")
        case _:
            yield from ("e", "nothing+has+this")


def list_misses(choices: Mapping[str, list[str]]) -> Iterator[str]:
    """Filters that nothing fits, of which a list has the first ones."""
    found = (f"{name}={values[-1]}" for name, values in choices.items() if "nothing" in values[-1])
    return chain(list(found)[:1])


def find_examples() -> dict[str, Any]:
    """Of the ledger of `office_ledger`."""
    from accounts.models import Account, Claim, Erasure, Hold, Note, Token, User
    from events.models import FeedState, Subscription
    from transactions.models import AuditRun, Correction, Transaction

    big = Account.objects.get(name="the biggest")
    rows = Transaction.objects.filter(account=big)
    now = operations.read_clock()
    waiting = Correction.objects.filter(status="WAITING")
    plain = rows.filter(status="POSTED", type="DEPOSIT").order_by("seq")
    days = {name: now - timedelta(days=ago) for name, ago in (("week_ago", 7), ("month_ago", 30))}
    return {
        "account": big.id,
        "user": big.user_id,
        "boss": User.objects.get(username="bench-boss").id,
        "idle": "bench-staff-0",
        "nobody": "00000000-0000-4000-8000-000000000000",
        "transaction": plain[len(plain[:1000]) // 2].id,
        "transactions": [row.id for row in plain[:20]],
        "late": Transaction.objects.filter(late=True).order_by("-recorded_at", "-id")[0].id,
        "declined": rows.filter(status="DECLINED").order_by("seq")[0].id,
        "hold": Hold._base_manager.filter(account=big, status="OPEN").order_by("created_at")[0].id,
        "claim": Claim.objects.filter(status="OPEN")[0].id,
        "erasure": Erasure.objects.order_by("asked_at")[0].id,
        "note": Note.objects.filter(is_task=True).order_by("written_at")[0].id,
        "staff": User.objects.get(username="bench-staff-0").id,
        "token": Token.objects.order_by("created")[0].token_key,
        "placement": FeedState.objects.get().last_position // 2,
        "subscription": Subscription.objects.filter(status="ACTIVE")[0].id,
        "audit": AuditRun.objects.order_by("started_at")[0].id,
        "correction": waiting.filter(batch=None).order_by("made_at")[0].id,
        "corrections": [each.id for each in waiting.filter(batch=None).order_by("made_at")[:20]],
        "batch": waiting.exclude(batch=None).get(place=0).id,
        **{name: f"{at:%Y-%m-%dT%H:%M:%S}" for name, at in days.items()},
        "day": f"{days['month_ago']:%Y-%m-%d}",
        "today": f"{now:%Y-%m-%d}",
        "month": urlencode(
            {"since": f"{now - PERIOD_MAX + timedelta(days=2):%Y-%m-%d}", "until": f"{now:%Y-%m-%d}"}
        ),
    }
