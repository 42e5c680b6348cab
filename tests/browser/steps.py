"""What staff do in a browser, and what is watched meanwhile."""

from urllib.parse import urljoin, urlsplit

from tests.office.staff import PASSWORD, open_office

# No name is looked up anywhere: whatever a page asks of another machine fails, and is noticed.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


class Watch:
    """Collects what a page must not do: ask another machine, miss a file, open a dialog, or complain.

    What the Content-Security-Policy forbids is a complaint.
    """

    def __init__(self, page, url):
        self.home = urlsplit(url).netloc
        self.faults = []
        page.on("request", self._see_request)
        page.on("requestfailed", self._see_failure)
        page.on("response", self._see_response)
        page.on("console", self._see_message)
        page.on("dialog", self._see_dialog)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))

    def verify(self):
        assert self.faults == []

    def _see_dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _see_request(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.home:
            self.faults.append(f"asked elsewhere: {request.url}")

    def _see_failure(self, request):
        if request.failure != "net::ERR_ABORTED":  # somebody went on before it came
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _see_response(self, response):
        if response.status >= 400 and response.request.resource_type != "document":
            self.faults.append(f"{response.status}: {response.url}")

    def _see_message(self, message):
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")


def come_in(page, staff, to=None):
    """As after the password and the code, which most tests are not about; to the page of something."""
    cookie = open_office(staff).cookies["sessionid"].value
    page.goto("/admin/login/")
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": urljoin(page.url, "/")}])
    page.goto("/admin/" if to is None else find_address(to))


def give_password(page, staff, password=PASSWORD):
    page.goto("/admin/")
    fill_login(page, staff, password)


def fill_login(page, staff, password=PASSWORD):
    page.get_by_label("Username").fill(staff.username)
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name="Log in").click()


def give_code(page, code):
    page.get_by_label("Code of your authenticator app").fill(code)
    page.get_by_role("button", name="Continue").click()


def open_page(page, name):
    """By the sidebar, until the page is there."""
    with page.expect_navigation():
        find_lead(page, name).click()


def find_lead(page, name):
    """The sidebar's link of that name."""
    return page.locator("#nav-sidebar-inner a").filter(has=page.get_by_text(name, exact=True))


def send_command(page, label, reason=None, **fields):
    """By its button on the page of something: fill the form, and send it. Fields by their names."""
    page.get_by_role("link", name=label, exact=True).click()
    for name, value in fields.items():
        field = page.locator(f"[name={name}]")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    if reason is not None:
        page.locator("[name=reason]").fill(reason)
    page.get_by_role("button", name=label, exact=True).click()


def measure_overflow(page):
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")


def open_subject(page, subject):
    """The page of one account, transaction, hold … by its address."""
    page.goto(find_address(subject))


def find_address(subject):
    return f"/admin/{subject._meta.app_label}/{subject._meta.model_name}/{subject.pk}/change/"


def find(page, words):
    open_page(page, "Find")
    page.locator("[name=q]").fill(words)
    page.keyboard.press("Enter")


def go_to(page, goal, steps_max=80):
    """With the Tab key, as far as it takes."""
    for _ in range(steps_max):
        if goal.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{goal} is not reached by keyboard")


def open_menu(page):
    """That of the person: language, theme, the way out."""
    page.get_by_role("button", name="language, theme, leaving").click()
