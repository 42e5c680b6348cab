"""The pictures of docs/back-office.md, of a small ledger made for them. Run: make screenshots."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE_MAX = 250_000  # bytes
COUNTING_SECONDS = 15  # until the dashboard's numbers are those of the whole ledger


def main():
    folder = Path(tempfile.mkdtemp(prefix="ledger-pictures-"))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "ledger_project.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        "LEDGER_VAR": str(folder),
    }
    from tests.service import Service

    service = Service(folder).start()
    try:
        django.setup()  # on the service's own database, with its keys
        from tests.browser.demo import Demo

        demo = Demo()
        audit = [sys.executable, "manage.py", "audit_balances"]
        subprocess.run(audit, cwd=IMAGES.parents[1], env=os.environ, check=True, stdout=subprocess.DEVNULL)
        time.sleep(COUNTING_SECONDS)
        take_pictures(demo, f"http://127.0.0.1:{service.port}")
    finally:
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)


def take_pictures(demo, url):
    from playwright.sync_api import sync_playwright

    from tests.browser.steps import ARGUMENTS, Watch, come_in, find, open_subject

    program = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)

        def open_browser(staff, width=1280, height=900, **options):
            context = browser.new_context(
                base_url=url, viewport={"width": width, "height": height}, timezone_id="UTC", **options
            )
            page = context.new_page()
            page.watch = Watch(page, url)
            come_in(page, staff)
            return page

        page = open_browser(demo.vera)
        page.get_by_role("link", name="30 days").click()
        save(page, "dashboard")
        find(page, "bright")
        save(page, "find", height=600)
        open_subject(page, demo.bakery)
        page.locator("[name=at]").fill(f"{demo.now.replace(day=3):%Y-%m-%d}")
        page.locator("[name=at_time]").fill("12:00")
        page.keyboard.press("Enter")
        page.wait_for_url("**at=**")
        save(page, "account", height=1300)
        open_subject(page, demo.declined)
        save(page, "transaction")

        page = open_browser(demo.chief)
        page.goto("/admin/transactions/correction/")
        save(page, "approval-queue", height=600)

        page = open_browser(demo.vera, width=390, height=844, is_mobile=True, has_touch=True)
        open_subject(page, demo.bakery)
        save(page, "mobile", height=844)

        page = open_browser(demo.vera, locale="ru-RU")
        open_subject(page, demo.bakery)
        save(page, "russian")
        browser.close()


def save(page, name, height=900):
    """The window, so many pixels high."""
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(700)  # fonts and the lines of charts
    page.watch.verify()
    path = IMAGES / f"{name}.png"
    IMAGES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(IMAGES.parents[1])}: {size // 1000} kB\n")
    assert size < SIZE_MAX, f"{path} is too big"


if __name__ == "__main__":
    main()
