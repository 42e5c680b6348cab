"""What holds for the pages of the back office alone, and never for an answer of the API."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ledger_project.settings import LANGUAGES
from tests.cast import issue_token
from tests.office.addresses import list_urls_of
from tests.office.staff import make_staff, open_office
from tests.office.things import make_things

OF_PAGES = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Permissions-Policy": "camera=()",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
PAGES = [
    "/admin/",
    "/admin/login/",
    "/admin/second-factor/",
    "/admin/language/",
    "/admin/jsi18n/",
    "/admin/nothing/",
    "/admin/accounts/account/",
    "/admin/accounts/account/add/",
]
RUSSIAN = {"HTTP_ACCEPT_LANGUAGE": "ru"}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_takes_nothing_from_elsewhere_is_not_framed_and_not_kept(superuser, path):
    for client in (superuser, Client()):
        answer = client.get(path)
        for name, part in OF_PAGES.items():
            assert part in answer.headers.get(name, ""), (name, answer.status_code)


def test_no_page_and_no_download_of_anything_is_kept(superuser):
    things = make_things()
    account = things["accounts/account"]
    downloads = [
        f"/admin/accounts/account/{account.pk}/change/?format=csv",
        "/admin/events/recordentry/?csv=1",
    ]
    for address in (*list_urls_of(things), *downloads):
        answer = superuser.get(address)
        assert "no-store" in answer.headers.get("Cache-Control", ""), (address, answer.status_code)
        assert address not in downloads or "attachment" in answer["Content-Disposition"]


def test_the_policy_names_no_other_host(superuser):
    policy = superuser.get("/admin/")["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["form-action"] == "'self'"
    assert rules["object-src"] == rules["base-uri"] == "'none'"
    assert not re.search(r"https?:|\*|//", policy)


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/account/", "/admin/login/"])
def test_pages_load_nothing_from_elsewhere(superuser, path):
    client = Client() if path.endswith("login/") else superuser
    page = client.get(path).content.decode()
    loaded = re.findall(r'<(?:script|img|iframe|link)\b[^>]*?(?:src|href)="([^"]*)"', page)
    assert loaded
    assert not [address for address in loaded if not address.startswith(("/static/", "/admin/", "data:"))]


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookies_are_for_the_back_office_only(settings, secure):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = secure
    settings.LANGUAGE_COOKIE_SECURE = secure
    user = make_staff("support", password="x" * 20)
    client = Client()
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": user.username, "password": "x" * 20})
    client.post("/admin/language/", {"language": "ru", "next": "/admin/"})
    assert set(client.cookies) >= {"sessionid", "csrftoken", "django_language"}
    for name in ("sessionid", "csrftoken", "django_language"):
        cookie = client.cookies[name]
        flags = (cookie["path"], bool(cookie["httponly"]), cookie["samesite"], bool(cookie["secure"]))
        assert flags == ("/admin/", True, "Lax", secure), name
    assert client.cookies["sessionid"]["expires"] == ""  # gone with the browser


def test_behind_tls_cookies_are_for_tls_only(settings):
    text = (settings.BASE_DIR / "ledger_project/settings.py").read_text()
    assert "SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_TLS" in text


def ask_the_api(token, **headers):
    """All that a caller can tell the answers by."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    answers = []
    for path in ("/api/v1/users", "/api/v1/users?page_size=x", "/api/v1/nothing", "/api/v1/transactions"):
        for method in (client.get, client.post):
            answer = method(
                path, {"amount": "x"} if method == client.post else None, format="json", **headers
            )
            shown = dict(answer.headers)
            shown.pop("X-Request-Id")
            text = re.sub(r'"request_id":"[^"]*"', "", answer.content.decode().replace(": ", ":"))
            answers.append((path, answer.status_code, shown, text))
    return answers


def test_the_api_speaks_english_whatever_was_asked_for_and_served_before(superuser):
    token = issue_token("api-post")
    expected = ask_the_api(token)
    assert not any("Content-Language" in headers or "Set-Cookie" in headers for _, _, headers, _ in expected)
    assert not any("Content-Security-Policy" in headers for _, _, headers, _ in expected)
    assert ask_the_api(token, **RUSSIAN) == expected
    assert ask_the_api(token, HTTP_COOKIE="django_language=ru; sessionid=" + "a" * 32) == expected
    for path in PAGES:
        assert superuser.get(path, **RUSSIAN).headers.get("Content-Language") == "ru", path
        assert ask_the_api(token) == expected
    superuser.raise_request_exception = False
    superuser.post("/admin/language/", {"language": "ru"})
    assert ask_the_api(token) == expected


def test_a_request_to_the_api_with_a_session_costs_no_query_more(superuser):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token('api-read')}")
    client.get("/api/v1/users")  # warm
    counts = []
    for cookie in ("", f"sessionid={superuser.session.session_key}", "sessionid=" + "b" * 32):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get("/api/v1/users", HTTP_COOKIE=cookie)
        assert answer.status_code == 200
        assert not answer.cookies
        counts.append(len(queries))
        assert not [query for query in queries if "session" in query["sql"] or "otp" in query["sql"]]
    assert counts == [counts[0]] * 3


@pytest.mark.parametrize("language", [code for code, _ in LANGUAGES])
def test_refusals_are_pages_that_can_be_read(superuser, language):
    support = open_office(make_staff("support"))
    forms = Client(enforce_csrf_checks=True)
    asked = {"HTTP_ACCEPT_LANGUAGE": language}
    answers = {
        404: superuser.get("/admin/nothing/", **asked),
        403: support.get("/admin/events/recordentry/", **asked),
        400: superuser.get("/admin/", HTTP_HOST="elsewhere.example", **asked),
    }
    answers["csrf"] = forms.post("/admin/login/", {"username": "x", "password": "y"}, **asked)
    for status, answer in answers.items():
        text = answer.content.decode()
        assert answer.status_code == (403 if status == "csrf" else status)
        assert answer["Content-Type"].startswith("text/html")
        assert f'lang="{language}"' in text
        assert "<h1>" in text
        assert "Traceback" not in text
        assert "request_id" not in text


@pytest.mark.parametrize(
    "success_url", ["https://evil.example/", "//evil.example", "\x00", "javascript:x", "/admin/"]
)
@pytest.mark.parametrize("language", ["ru", "xx", "", "\x00", "x" * 5000])
def test_choosing_a_language_leads_nowhere_else(superuser, success_url, language):
    answer = superuser.post("/admin/language/", {"language": language, "next": success_url})
    assert answer.status_code == 302
    assert answer["Location"] in ("/admin/", "/")
    cookie = answer.cookies.get("django_language")
    assert (cookie.value if cookie else None) == ("ru" if language == "ru" else None)
