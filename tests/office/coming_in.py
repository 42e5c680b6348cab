"""Coming into the back office, step by step, as a browser does."""

import re

from tests.office.staff import PASSWORD

LOGIN, SECOND, INDEX = "/admin/login/", "/admin/second-factor/", "/admin/"
WRONG = "not the password"


def log_in(browser, username="olga", password=PASSWORD, success_url="", **extra):
    return browser.post(
        LOGIN + (f"?next={success_url}" if success_url else ""),
        {"username": username, "password": password},
        **extra,
    )


def read_secret(page):
    return re.search(r'data-secret="([A-Z2-7]{32})"', page.content.decode())[1]


def send_code(browser, code, success_url=""):
    return browser.post(SECOND + (f"?next={success_url}" if success_url else ""), {"otp_token": code})


def is_inside(browser):
    return browser.get(INDEX).status_code == 200
