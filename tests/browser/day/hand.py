"""A hand at the mouse and the keys: what it clicks and presses is counted, what it types is not."""

from playwright.sync_api import Page, expect


class Hand:
    """Somebody's, who begins at the dashboard. A list that opens is one click, what is chosen in it another."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.counts = [0]

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

    def follow(self, name: str) -> None:
        """The first link that is called so, in what the page is about."""
        self.click(self.main.get_by_role("link", name=name, exact=True).first)

    def push(self, name: str) -> None:
        self.click(self.main.get_by_role("button", name=name, exact=True))

    def open(self, name: str) -> None:
        """By the sidebar."""
        lead = self.page.locator("#nav-sidebar-inner a")
        self.click(lead.filter(has=self.page.get_by_text(name, exact=True)))

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

