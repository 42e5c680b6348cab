"""Whatever a url looks like, a webhook goes to public addresses only. Nobody is called here."""

import pytest

from events.models import Subscription
from tests.feed_refusals import subscribe
from tests.names import PUBLIC, resolving

pytestmark = pytest.mark.django_db

# Oracle's cloud tells its machines their secrets at 192.0.0.192.
INSIDE = [
    *(
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
    ),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    "192.0.0.192",
]
INSIDE_IPV6 = [
    *("::", "::1", "0:0:0:0:0:0:0:1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:a00:1"),
    *("::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::"),
    *("2001:db8::1", "2002:7f00:1::", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fe80::5efe:127.0.0.1", "fec0::1", "ff02::1"),
]
# Of hosts that would be this machine, or a public one, to somebody who reads them otherwise.
TRICKS = [
    *(
        "http://{public}/",
        "HTTPS://{public}/",
        "hTTps://{public}/",
        "ftp://{public}/",
        "//{public}/",
        "{public}",
    ),
    *("https:{public}/", "https:/{public}/", "https:///{public}/", "https://", "https:///", "https://:443/"),
    *("https://{public}:80/", "https://{public}:0/", "https://{public}:65536/", "https://{public}:/"),
    *("https://{public}:-443/", "https://{public}:4e2/", "https://{public}:\u0664\u0664\u0663/"),
    *("https://a@{public}/", "https://a:b@{public}/", "https://{public}@127.0.0.1/", "https://{public}#@x/"),
    *("https://{public}\\@127.0.0.1/", "https://{public};@127.0.0.1/", "https://{public}\\.x/"),
    *(
        "https://127.0.0.1./",
        "https://127.1/",
        "https://127.0.1/",
        "https://0/",
        "https://1/",
        "https://127.0.0.01/",
    ),
    *("https://0127.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://127.0.0.0x1/"),
    *("https://2130706433/", "https://017700000001/", "https://99999999999/", "https://1.2.3.4.5/"),
    *(
        "https://256.1.1.1/",
        "https://a.1/",
        "https://a.0x7f/",
        "https://127.0.0.1%2e/",
        "https://%31%32%37.1/",
    ),
    *("https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://localhost:443/"),
    *(
        "https://[127.0.0.1]/",
        "https://[::1%lo]/",
        "https://[::1%25lo]/",
        "https://[::1]443/",
        "https://[::1/",
    ),
    *("https://[]/", "https://[:]/", "https://[v1.1]/", "https://[{public}]/", "https://[::1]@{public}/"),
    *("https://a_b.example/", "https://-a.example/", "https://a..b/", "https://.a/", "https://*/"),
    *("https://" + "a" * 64 + ".example/", "https://" + "a." * 900 + "example/"),
    *("https://\uff4cocalhost/", "https://127\u30020\u30020\u30021/", "https://\u2460\u2461\u2466.0.0.1/"),
    *("https://xn--\u00fc/", "https://{public}/\u00fc", "https://{public}/\x7f", "https://{public}/\t"),
    *(" https://{public}/", "https://{public}/ ", "https://{public}/\n", "https://{public}\r\nX: y/"),
    *("https://{public}/a b", 'https://{public}/"', "https://{public}/\\", "https://{public}/#a"),
    *("javascript:alert(1)", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "data:,x"),
]


def require_refused(url):
    answer = subscribe(url=url)
    assert (answer.status_code, answer.json()["code"]) == (400, "url_not_allowed"), url
    assert answer.json()["errors"][0]["pointer"] == "/url"
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("address", [*INSIDE, *INSIDE_IPV6])
def test_an_address_inside_is_refused_and_so_is_a_name_that_leads_there(address):
    with resolving() as names:
        require_refused(f"https://[{address}]/" if ":" in address else f"https://{address}/")
        names["ads.example.com"] = [address]
        require_refused("https://ads.example.com/")


@pytest.mark.parametrize("url", TRICKS)
def test_a_url_that_may_be_read_in_two_ways_is_refused(url):
    with resolving():
        require_refused(url.replace("{public}", PUBLIC))


@pytest.mark.parametrize(
    "url", ["", ":443/a", ":8443", "/a?b=c&d[]=%2F", "?a@127.0.0.1/", "/" + "a" * (2048 - len(PUBLIC) - 9)]
)
def test_a_public_address_over_https_is_not_refused(url):
    with resolving():
        assert subscribe(url=f"https://{PUBLIC}{url}").status_code == 201
