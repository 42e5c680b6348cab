"""Which addresses a webhook may have. `tests/rest/test_urls_of_webhooks.py` has more that it may not have."""

from ipaddress import ip_network

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


@pytest.fixture
def own_networks(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [
        ip_network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "fd12:3456::/32")
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("http://10.0.0.0/", "https://10.255.255.255/", "http://10.1.2.3:8080/hook", "http://10.1.2.3:1/"),
        *("http://100.64.0.1/", "http://[fd12:3456::1]:9000/", "http://[::ffff:10.0.0.1]/"),
    ],
)
def test_a_network_is_opened_by_its_setting_over_http_and_at_any_port(own_networks, settings, url):
    url_guard.require_allowed(url)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(UrlNotAllowed, match="WEBHOOK_ALLOWED_NETWORKS"):
        url_guard.require_allowed(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://9.255.255.255/", "http://11.0.0.0/", "https://172.16.0.1/", "https://192.168.0.1/"),
        *("https://[fd12:3457::1]/", "http://8.8.8.8/", "https://8.8.8.8:8080/", "http://127.0.0.1/"),
        *(
            "https://[64:ff9b::10.0.0.1]/",
            "https://[2002:a00:1::]/",
            "https://0.0.0.0/",
            "http://10.0.0.1:0/",
        ),
        *("https://10.1/", "https://012.0.0.1/", "https://167772161/", "https://user@10.0.0.1/"),
    ],
)
def test_an_opened_network_opens_nothing_beside_it(own_networks, url):
    with pytest.raises(UrlNotAllowed):
        url_guard.require_allowed(url)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        *((host, True) for host in ("ads.shop.example", "ADS.Shop.example", "a.svc.cluster.local")),
        *((host, True) for host in ("a.b.svc.cluster.local", "a.SVC.cluster.local")),
        *((host, False) for host in ("svc.cluster.local", "asvc.cluster.local", "xads.shop.example")),
        *((host, False) for host in ("x.ads.shop.example", "shop.example", "ads.shop.example.evil.example")),
    ],
)
def test_a_host_is_opened_by_its_name_or_by_what_it_is_below(names, settings, host, is_allowed):
    settings.WEBHOOK_ALLOWED_HOSTS = ["Ads.shop.example", ".svc.Cluster.local"]
    for addresses in (["10.1.2.3"], ["fc00::1"], ["172.31.255.255"]):
        names[host] = addresses
        if is_allowed:
            url_guard.require_allowed(f"http://{host}:8080/hook")
        else:
            with pytest.raises(UrlNotAllowed, match="WEBHOOK_ALLOWED_HOSTS"):
                url_guard.require_allowed(f"http://{host}:8080/hook")


@pytest.mark.parametrize(
    ("address", "says"),
    [("127.0.0.1", "WEBHOOK_LOOPBACK"), ("::1", "WEBHOOK_LOOPBACK"), ("8.8.8.8", "Only https")],
)
def test_an_opened_host_is_called_over_http_at_private_addresses_alone(names, settings, address, says):
    settings.WEBHOOK_ALLOWED_HOSTS = ["ads.shop.example"]
    names["ads.shop.example"] = [address]
    with pytest.raises(UrlNotAllowed, match=says):
        url_guard.require_allowed("http://ads.shop.example/")


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.170.2", "169.254.0.23", "169.254.42.42", "fe80::a9fe:a9fe"),
        *("::ffff:169.254.169.254", "100.100.100.200", "::ffff:100.100.100.200", "192.0.0.192"),
        *("168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"),
        *("fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200", "0.0.0.0", "224.0.0.1"),
    ],
)
def test_where_clouds_tell_their_machines_secrets_is_opened_by_no_setting(names, settings, address):
    """Not even by networks that the check of the settings would refuse."""
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    settings.WEBHOOK_ALLOWED_NETWORKS = [*everything, *url_guard.PRIVATE, *url_guard.LOOPBACK]
    settings.WEBHOOK_ALLOWED_HOSTS = ["ads.shop.example", ".example"]
    settings.WEBHOOK_LOOPBACK = settings.DEBUG = True
    names["ads.shop.example"] = [address]
    for host in (f"[{address}]" if ":" in address else address, "ads.shop.example"):
        for scheme in ("http", "https"):
            with pytest.raises(UrlNotAllowed, match="no setting allows"):
                url_guard.require_allowed(f"{scheme}://{host}/")


def test_of_several_addresses_every_one_must_be_opened(own_networks, monkeypatch):
    found = [(2, 1, 6, "", (address, 443)) for address in ("10.0.0.1", "192.168.0.1")]
    monkeypatch.setattr("events.delivery.url_guard.socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(UrlNotAllowed):
        url_guard.require_allowed("http://ads.example.com/")
