"""What the other tests of the browser would notice on any page."""

import pytest

from tests.browser.steps import Watch


@pytest.fixture
def watched(chromium, live_server):
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    watch = Watch(page, live_server.url)
    page.goto("/admin/login/")
    assert watch.faults == []
    yield page, watch
    context.close()


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (
            "document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/x.png'}))",
            "elsewhere",
        ),
        ("fetch('https://elsewhere.example/').catch(() => 0)", "Content Security Policy"),
        ("document.body.append(Object.assign(new Image(), {src: '/static/nothing.png'}))", "404"),
        ("setTimeout(() => { throw new Error('broken') })", "broken"),
        ("console.error('a complaint')", "a complaint"),
        ("alert('hello')", "dialog: hello"),
    ],
)
def test_a_page_does_nothing_wrong_unnoticed(watched, script, fault):
    page, watch = watched
    page.evaluate(f"() => {{ {script}; }}")
    page.wait_for_timeout(300)
    assert any(fault in seen for seen in watch.faults), watch.faults
