"""Every page of the back office that somebody may open, with something on it."""

import re
from html import unescape
from urllib.parse import urlencode

from tests.office.addresses import list_urls_of
from tests.office.staff import open_office

# A list that finds nothing, and one that is asked for what cannot be: once, lists share their template.
OF_TRANSACTIONS = ({"q": "nothing has this name"}, {"since": "no day", "amount_from": "no amount"})
OF_ACCOUNTS = ({"at": "2025-01-01T00:00"}, {"at": "no day"}, {"show": "period", "first_day": "no day"})
# The tabs of a page, and the choices above a list: whatever it links to that is itself again.
AGAIN = re.compile(r'href="(\?(?:show|which|state|range)=\w+)"')


def list_pages(staff, things, words="Masha"):
    """The addresses that answer this member of staff with a page, and its HTML; of those that lead on, where
    they lead. Of the pages that refuse, one of each status.
    """
    client = open_office(staff)
    asked = [*list_urls_of(things), "/admin/find/?" + urlencode({"q": words}), "/admin/nothing/"]
    found, kinds = {}, set()
    while asked:
        address = asked.pop(0)
        answer = client.get(address, follow=True)
        final = answer.redirect_chain[-1][0] if answer.redirect_chain else address
        is_fine = answer.status_code == 200
        kind = _find_kind(final) if is_fine else answer.status_code
        if kind in kinds or answer.status_code not in (200, 403, 404) or not _is_page(answer):
            continue
        kinds.add(kind)
        found[final] = html = answer.content.decode()
        if is_fine and "?" not in final:
            asked += [final + unescape(each) for each in dict.fromkeys(AGAIN.findall(html))]
            asked += [f"{final}?{urlencode(query)}" for query in _list_queries(final)]
    return found


def find_shape(html):
    """What a page is built of, without its texts and numbers: two of one shape are looked at once."""
    main = html[max(html.find("<main"), 0) :]
    tags = re.findall(r"<([a-z]\w*)((?:\s[^<>]*)?)>", main)
    return frozenset(
        (
            tag,
            *re.findall(
                r'\s(?:class|role|type|aria-[a-z]+|[a-z]+)(?:="[^"]*")?', _without_values(attributes)
            ),
        )
        for tag, attributes in tags
    )


def _without_values(attributes):
    """Classes and roles stay, what names this very thing goes."""
    return re.sub(
        r'\s(?!class|role|type|aria-\w+)([\w:@.-]+)="[^"]*"', r" \1", re.sub(r"[0-9]+", "", attributes)
    )


def _is_page(answer):
    """And no file, and no part of a page that a script asks for."""
    return answer.get("Content-Type", "").startswith("text/html") and b"<html" in answer.content


def _find_kind(address):
    """The same for a list that is searched for one id or another."""
    return re.sub(r"(\?q=)[\w-]+$", r"\1", address)


def _list_queries(address):
    if re.fullmatch(r"/admin/accounts/account/[^/]+/change/", address):
        return OF_ACCOUNTS
    return OF_TRANSACTIONS if address == "/admin/transactions/transaction/" else ()


def ask_nothing(page, thing, command):
    """The form of a command, sent empty: it says what is missing."""
    opts = thing._meta
    page.goto(f"/admin/{opts.app_label}/{opts.model_name}/{thing.pk}/{command}/")
    with page.expect_navigation():
        page.evaluate("document.querySelector('#main form[method=post]').submit()")


def choose_to_reverse(page, account):
    """The page of what is reversed together: all that the account's statement shows."""
    page.goto(f"/admin/accounts/account/{account.pk}/change/")
    with page.expect_navigation():
        page.evaluate(
            "document.querySelectorAll('[form=chosen]').forEach(each => { each.checked = true });"
            "document.querySelector('#chosen').submit()"
        )


def choose_to_approve(page):
    """The page of what is approved together: all that waits."""
    page.goto("/admin/transactions/correction/")
    with page.expect_navigation():
        page.evaluate(
            "document.querySelectorAll('[name=_selected_action]').forEach(each => { each.checked = true });"
            "document.querySelector('[name=action]').value = 'approve_chosen';"
            "document.querySelector('#changelist-form').submit()"
        )


def go_to_place(page, place):
    """To an address, or wherever the function goes."""
    if callable(place):
        place(page)
    else:
        page.goto(place)
