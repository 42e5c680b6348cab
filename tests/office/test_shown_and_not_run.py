"""Whatever others wrote is shown on every page as it was written: a browser never takes it for HTML."""

import re

import pytest

from events import feed, subscriptions
from events.models import Placement, Subscription
from ledger.callers import ActorKind, Caller
from tests.cast import UserFactory, deposit, hold, new_id, withdraw
from tests.claims import claim
from tests.names import NOBODY
from tests.office.answers import find_secret, read
from tests.office.notes import note
from tests.office.staff import make_staff
from tests.office.test_token_pages import ASKED, TOKENS
from transactions import corrections

PROBE = "</pre><script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)"


@pytest.fixture
def written(boss):
    """One of everything that has the probe for a text; the address of each, without `/admin/`."""
    user = UserFactory(name=PROBE, external_id=PROBE, metadata={PROBE: PROBE})
    account, member = user.accounts.get(), make_staff("support", name=PROBE)
    fields = {"reference": PROBE, "metadata": {PROBE: PROBE}}
    row, held = deposit(account, "500", **fields), hold(account, "5", **fields)
    withdraw(account, "5000", **fields)
    webhook, _ = subscriptions.create(kind="webhook", url=NOBODY, caller=Caller(boss.id))
    Subscription.objects.update(url=f"https://x/{PROBE}", last_error=PROBE)
    asked = corrections.reverse(
        id=new_id(),
        transaction_id=row.id,
        amount=row.amount,
        reason=PROBE,
        caller=Caller(boss.id, ActorKind.STAFF, "test"),
    )
    owed = claim(account, "5000", reason=PROBE, reference=PROBE)
    feed.place_pending()
    return {
        "accounts/user": user.id,
        "accounts/account": account.id,
        "accounts/hold": held.id,
        "accounts/claim": owed.id,
        "accounts/staff": member.id,
        "events/placement": Placement.objects.get(event__type="user.created").position,
        "events/subscription": webhook.id,
        "transactions/correction": asked.id,
        "transactions/transaction": row.id,
    }


def test_what_others_wrote_is_shown_and_not_run(superuser, written):
    pages = [f"{model}/{id}/change/" for model, id in written.items()]
    pages += [f"{model}/" for model in written if model != "events/placement"]
    pages += [
        f"{pages[1]}?show={section}" for section in ("statement", "declines", "holds", "claims", "events")
    ]
    pages += [f"accounts/staff/{written['accounts/staff']}/groups/"]
    pages += [f"events/subscription/{written['events/subscription']}/pause/"]
    for page in (*pages, f"accounts/account/?q={PROBE}", f"find/?q={PROBE}"):
        text = read(superuser.get(f"/admin/{page}"))
        assert PROBE not in text, page
        assert ESCAPED in text, page


def test_the_name_of_who_gets_a_token_is_shown_and_not_run(superuser):
    answer = superuser.post(f"{TOKENS}issue/", {**ASKED, "name": PROBE})
    page = f"{TOKENS}{find_secret(answer)[:15]}/change/"
    for text in (read(answer), read(superuser.get(TOKENS)), read(superuser.get(page))):
        assert PROBE not in text
        assert ESCAPED in text


def test_what_was_looked_for_and_why_is_shown_in_the_log_and_not_run(superuser, boss):
    note(boss, subject_id=PROBE, detail=PROBE, words=PROBE, reason=PROBE)
    text = read(superuser.get("/admin/events/recordentry/"))
    assert PROBE not in text
    shown = re.sub(r'title="[^"]*"', "", text)  # what is cut shows its whole length there
    assert shown.count(ESCAPED) == 4
