"""Every page that a link leads to, as a superuser: none shows what opens a door."""

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from events import subscriptions
from events.delivery import webhooks
from tests.cast import issue_token
from tests.office.staff import PASSWORD, make_staff, open_office
from tests.receivers import receiver

pytestmark = pytest.mark.django_db
STAFF = "/admin/accounts/staff/"


def crawl(client, start):
    """All pages of the office that links lead to, but for the ways out."""
    seen, ahead = {}, [start]
    while ahead and len(seen) < 200:
        address = ahead.pop()
        if address in seen or "logout" in address or "csv" in address:
            continue
        answer = client.get(address, follow=True)
        seen[address] = answer.content.decode()
        parts = seen[address].split('href="')[1:]
        links = [part.split('"')[0].replace("&amp;", "&") for part in parts]
        ahead += [link for link in links if link.startswith("/admin/") and link not in seen]
    return seen


def test_no_page_shows_a_secret(settings):
    settings.WEBHOOK_LOOPBACK = True
    boss = make_staff(superuser=True, username="boss", password=PASSWORD)
    office = open_office(boss)
    make_staff("support", password=PASSWORD)
    token = issue_token("api-read")
    with receiver() as hook:
        made, _ = subscriptions.create(kind="webhook", url=hook.url, actor=boss.pk)
    device = TOTPDevice.objects.get(user=boss)
    pages = crawl(office, "/admin/")
    crawled = " ".join(pages)
    for address in (
        f"{STAFF}{boss.pk}/change/",
        f"/admin/events/subscription/{made.pk}/change/",
        f"/admin/accounts/token/{token[:15]}/change/",
        f"/admin/accounts/token/{token[:15]}/revoke/",
        "/admin/office/access/",
    ):
        assert address in crawled, (address, sorted(pages))
    digest = boss.auth_token_set.model.objects.get(token_key=token[:15]).digest
    secrets = [token, digest, digest[:20], device.key, webhooks.make_secret(made.id, 1), "whsec_"]
    secrets += ["pbkdf2", "argon2", *User.objects.values_list("password", flat=True)]
    for address, text in pages.items():
        assert [secret for secret in secrets if secret in text] == [], address
