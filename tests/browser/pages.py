"""Every page of the back office that somebody may open, with something on it."""

from urllib.parse import urlencode

from tests.office.addresses import list_urls, list_urls_of
from tests.office.staff import open_office

# Beside the addresses themselves: the other sections of a page, and lists that found something, or nothing.
VARIANTS = (
    *({"show": name} for name in ("declines", "holds", "claims", "events", "thresholds")),
    *({"at": "2025-01-01T00:00"}, {"state": "all"}, {"q": "nothing has this name"}, {"range": "30d"}),
)


def list_pages(staff, things, words="Masha"):
    """The addresses that answer this member of staff with a page; of those that lead on, where they lead."""
    client = open_office(staff)
    asked = [
        "/admin/find/?" + urlencode({"q": words}),
        *list_urls_of(things),
        *list_urls("nothing-has-this-id"),
    ]
    found = {}
    for address in asked:
        for query in ({}, *VARIANTS):
            if query and ("?" in address or not _is_variable(address, query)):
                continue
            answer = client.get(address, query, follow=True)
            if answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html"):
                final = answer.redirect_chain[-1][0] if answer.redirect_chain else address
                found[final + ("?" + urlencode(query) if query and not answer.redirect_chain else "")] = None
    return list(found)


def _is_variable(address, query):
    """Whether the page of this address may show something else for the query."""
    of_account = address.startswith("/admin/accounts/account/") and address.endswith("/change/")
    if "show" in query or "at" in query:
        return of_account
    if "range" in query:
        return of_account or address == "/admin/"
    return address.count("/") == 4 and address.startswith("/admin/")  # a list
