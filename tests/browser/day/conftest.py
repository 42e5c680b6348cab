"""One small ledger for all walks of a module, and each walk held to the page that says what it costs."""

import os
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connections
from django.test.utils import override_settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import DESK
from tests.browser.day.hand import Hand
from tests.browser.day.page import read_tasks
from tests.browser.day.world import World
from tests.browser.steps import Watch
from tests.database import empty_the_ledger
from tests.receivers import receiver


class Day:
    def __init__(self, world, browser, url):
        self.world = world
        self.browser = browser
        self.url = url
        self.pictures = os.environ.get("LEDGER_PICTURES", "")

    @contextmanager
    def task(self, number, who=None):
        """The hand of whoever has this task, at the dashboard; in the end, what the page says it costs.

        `who` is not the first member of staff with the role.
        """
        task = read_tasks()[number]
        with ExitStack() as self.stack:
            hand = Hand(self.open(who or task.role), f"{self.url}/admin/")
            hand.pictures = self.pictures
            yield hand
        assert hand.clicks == task.clicks, f"task {number} takes {hand.clicks} clicks"

    def open(self, who):
        """One more browser, at the dashboard of somebody; of a newcomer it is the door."""
        context = self.browser.new_context(base_url=self.url, viewport=DESK)
        context.set_default_timeout(10_000)
        if cookie := self.world.cookies.get(who):
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.url}])
        page = context.new_page()
        watch = Watch(page, self.url)
        self.stack.callback(context.close)
        self.stack.callback(watch.verify)
        page.goto("/admin/")
        return page


@pytest.fixture(scope="module")
def day(chromium, django_db_setup, django_db_blocker):
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with (
        django_db_blocker.unblock(),
        override_settings(WEBHOOK_LOOPBACK=True, PASSWORD_HASHERS=quick),
        receiver() as hook,
    ):
        server = LiveServer(os.environ.get("DJANGO_LIVE_TEST_SERVER_ADDRESS") or "localhost")
        with server._live_server_modified_settings:
            yield Day(World(hook.url), chromium, server.url)
            server.stop()
        empty_the_ledger()
        connections.close_all()  # this thread has other ones when chromium has gone


@pytest.fixture
def world(day):
    return day.world
