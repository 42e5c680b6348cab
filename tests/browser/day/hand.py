"""A hand at the mouse and the keys: what it clicks and presses is counted, what it types is not."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.steps import find_lead


class Hand:
    """Somebody's, who begins at the dashboard. To open a box is one click, to choose in it another."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.counts = [0]
        self.pictures = ""  # the folder of the pictures that are taken on the way; empty: none are

    @property
    def clicks(self) -> int:
        """Of the longest way."""
        return max(self.counts)

    @property
    def main(self):
        return self.page.locator("#main")

    def begin_again(self) -> None:
        """Another way to do the same, from the dashboard on."""
        self.counts.append(0)
        self.page.goto(self.home)

    def pass_on(self, page: Page) -> None:
        """To somebody else, at a browser of theirs: what both do is one way."""
        self.page = page

    def click(self, goal) -> None:
        self.counts[-1] += 1
        goal.click()

    def go(self, lead) -> None:
        """Click what leads to another page, and wait for that."""
        with self.page.expect_navigation():
            self.click(lead)

    def follow(self, name: str) -> None:
        """The first link that is called so, in what the page is about."""
        self.go(self.main.get_by_role("link", name=name, exact=True).first)

    def push(self, name: str) -> None:
        self.go(self.main.get_by_role("button", name=name, exact=True))

    def open(self, name: str) -> None:
        """By the sidebar."""
        self.go(find_lead(self.page, name))

    def press(self, key: str) -> None:
        self.counts[-1] += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Where the focus is."""
        self.page.keyboard.type(text)

    def write(self, field: str, text: str) -> None:
        """Into the field of that name; it costs a click unless the focus is there."""
        box = self.page.locator(f"[name={field}]")
        expect(box).to_be_visible()
        if not box.evaluate("element => element === document.activeElement"):
            self.click(box)
        self.type(text)

    def choose(self, field: str, value: str) -> None:
        self.counts[-1] += 2
        self.page.locator(f"[name={field}]").select_option(value)

    def find(self, words: str) -> None:
        self.press("Control+k")
        expect(self.page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
        self.type(words)
        self.press("Enter")
        self.page.wait_for_url("**/admin/**")

    def row(self, *texts: str):
        """The rows of tables that say all of this."""
        rows = self.main.get_by_role("row")
        for text in texts:
            rows = rows.filter(has_text=text)
        return rows

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.main).to_contain_text(text)

    def take_picture(self, name: str, height: int = 640) -> None:
        """Of what is on the page, in each language, for docs/back-office.md."""
        if not self.pictures:
            return
        page = self.page
        for language in ("ru", "en"):
            page.context.add_cookies(
                [{"name": "django_language", "value": language, "domain": "localhost", "path": "/admin/"}]
            )
            page.reload(wait_until="networkidle")
            page.wait_for_timeout(500)  # fonts
            box = self.main.bounding_box()
            path = Path(self.pictures) / f"day-{name}-{language}.png"
            page.screenshot(path=path, clip={**box, "y": 0, "height": height})
            with Image.open(path) as picture:
                picture.quantize(64).save(path, optimize=True)
