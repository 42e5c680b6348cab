"""Which addresses a webhook may have. `tests/rest/test_urls_of_webhooks.py` has more that it may not have."""

import pytest

from events.delivery import url_guard
from events.errors import UrlNotAllowed


@pytest.mark.parametrize(
    "url",
    ["https://8.8.8.8/hook", "https://8.8.8.8:8443/a?b=c", "https://[2606:4700::1111]/x", "https://1.1.1.1"],
)
def test_a_public_address_over_https_is_allowed(url):
    url_guard.require_allowed(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "https://", "http://8.8.8.8/", "HTTPS://8.8.8.8/", "ftp://8.8.8.8/", "https:8.8.8.8/"),
        *("https://8.8.8.8:22/", "https://8.8.8.8:0/", "https://8.8.8.8:99999/", "https://8.8.8.8:/"),
        *(
            "https://8.8.8.8@127.0.0.1/",
            "https://user@8.8.8.8/",
            "https://8.8.8.8/#x",
            "https://8.8.8.8\\@x/",
        ),
        *(
            "https://8.8.8.8 /",
            " https://8.8.8.8/",
            "https://8.8.8.8/\n",
            "https://8.8.8.8/a b",
            "https://8.8.8.8/é",
        ),
        *(
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://8.8.2056/",
        ),
        *(
            "https://134744072/",
            "https://08.8.8.8/",
            "https://8.8.8.8./",
            "https://-8.8.8.8/",
            "https://[8.8.8.8]/",
        ),
        *("https://[::1%25lo]/", "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://localhost./"),
        *("https://a..b/", "https://" + "a" * 64 + ".com/", "https://8.8.8.8/" + "a" * 2048),
    ],
)
def test_whatever_else_is_refused(url):
    with pytest.raises(UrlNotAllowed):
        url_guard.require_allowed(url)


def test_one_private_address_among_the_names_addresses_is_enough(monkeypatch):
    found = [(2, 1, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr("events.delivery.url_guard.socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(UrlNotAllowed):
        url_guard.require_allowed("https://ads.example.com/")


def test_loopback_is_allowed_by_its_setting_over_http_and_at_any_port(loopback):
    url_guard.require_allowed("http://127.0.0.1:9001/hook")
    url_guard.require_allowed("http://[::1]:9001/hook")
    for url in ("http://10.0.0.1/", "http://8.8.8.8/", "http://0.0.0.0/", "https://8.8.8.8:9001/"):
        with pytest.raises(UrlNotAllowed):
            url_guard.require_allowed(url)
