"""Which addresses a webhook may have: public ones over https, and private ones that the operator has named.

The name is resolved when the subscription is made, to refuse early, and again for every connection, which
goes to the very address that was checked: a name that changes its mind in between gains nothing.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2
from django.conf import settings

from events.errors import UrlNotAllowed
from events.models import URL_LENGTH_MAX

URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r"(:(?P<port>[0-9]{1,5}))?(?P<path>[/?][!$-\[\]-~]*)?"  # printable ASCII but for quotes, # and backslash
)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def list_networks(*texts: str) -> list[Network]:
    return [ipaddress.ip_network(text) for text in texts]


PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
# Beyond what `is_global` knows: where an IPv4 address is inside, documentation, a cloud's own host.
NOT_PUBLIC = list_networks(
    *("2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20"),
    *("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"),
)
# What settings can open: one's own networks (RFC 1918, 6598 and 4193), and this machine. Nothing link-local,
# where most clouds tell their machines secrets; those that tell them inside of one's own networks:
PRIVATE = list_networks("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
LOOPBACK = list_networks("127.0.0.0/8", "::1/128")
METADATA = list_networks(
    *("100.100.100.200/32", "fd00:100::100:200/128"),  # Alibaba
    *("fd00:ec2::/32", "fd20:ce::/64", "fd00:c1::a9fe:a9fe/128"),  # AWS, Google, Oracle
    *("fd00:42::42/128", "fd00:a9fe:a9fe::1/128"),  # Scaleway, Linode
)
NO_PUBLIC = "The host is not at a public address"


def require_allowed(url: str) -> None:
    """Refuse a url that the ledger must not call. Raises `UrlNotAllowed`, with the reason."""
    match = URL.fullmatch(url) if len(url) <= URL_LENGTH_MAX else None
    if match is None:
        raise UrlNotAllowed("Not a url like https://example.com/hook, in ASCII and without user or fragment.")
    host = match["host"].strip("[]")
    port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
    if not 1 <= port <= 65535:
        raise UrlNotAllowed("There is no such port.")
    if host.rpartition(".")[2][0].isdigit() and ":" not in host:
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise UrlNotAllowed("An IPv4 address is written with four decimal numbers.") from None
    resolve(host, port, scheme=match["scheme"])


def resolve(host: str, port: int, *, scheme: str) -> list[str]:
    """The addresses of the name, when every one of them is allowed. Raises `UrlNotAllowed`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UrlNotAllowed("The name of the host does not resolve.") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    for text in addresses:
        resolved = ipaddress.ip_address(text)
        address: Address = getattr(resolved, "ipv4_mapped", None) or resolved
        if is_opened(host, address):
            continue
        if not is_public(address):
            raise UrlNotAllowed(describe_closed(address))
        if scheme != "https" and not settings.DEBUG:
            raise UrlNotAllowed("Only https is called at a public address.")
        if port not in (443, 8443) and not settings.DEBUG:
            raise UrlNotAllowed("Only the ports 443 and 8443 are called at a public address.")
    return addresses


def is_opened(host: str, address: Address) -> bool:
    """Whether a setting opens this private address, over http and at any port too: by its network, or by the
    host whose it is, unless that leads to this machine. Where clouds tell secrets is opened by none."""
    if is_within(address, METADATA) or not is_within(address, [*PRIVATE, *LOOPBACK]):
        return False
    if is_within(address, settings.WEBHOOK_ALLOWED_NETWORKS):
        return True
    if is_within(address, LOOPBACK):
        return bool(settings.WEBHOOK_LOOPBACK)
    return any(is_named(host.lower(), name.lower()) for name in settings.WEBHOOK_ALLOWED_HOSTS)


def is_named(host: str, name: str) -> bool:
    """Whether the host is that of the name, or one below it if that begins with a dot."""
    return host.endswith(name) if name.startswith(".") else host == name


def describe_closed(address: Address) -> str:
    """Why an address that is not public is refused, and which setting would open it."""
    if is_within(address, METADATA) or not is_within(address, [*PRIVATE, *LOOPBACK]):
        return f"{NO_PUBLIC}, and no setting allows this one."
    if is_within(address, LOOPBACK):
        return f"{NO_PUBLIC} but on the ledger's own machine, which WEBHOOK_LOOPBACK=true allows."
    return (
        f"{NO_PUBLIC} but at a private one: whoever runs the ledger allows it by its network in "
        "WEBHOOK_ALLOWED_NETWORKS, or by its name in WEBHOOK_ALLOWED_HOSTS."
    )


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def can_be_opened(network: Network) -> bool:
    """Whether all of the network is one's own: what WEBHOOK_ALLOWED_NETWORKS may have."""
    return any(
        isinstance(network, type(own)) and network.subnet_of(own)  # type: ignore[arg-type]
        for own in (*PRIVATE, *LOOPBACK)
    )


def is_public(address: Address) -> bool:
    """Whether the address is one of the internet at large."""
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved)
        and (address.version == 4 or address in PUBLIC_IPV6)
        and not is_within(address, NOT_PUBLIC)
    )


@dataclass(eq=False)
class CheckedBackend(httpcore2.SyncBackend):
    """Connects to checked addresses only, and ends what takes too long or says too much.

    httpx2's own time-outs are for one read each; a receiver that sends a byte now and then would hold a
    connection for hours.
    """

    scheme: str
    seconds_max: float
    bytes_max: int

    def begin(self) -> None:
        """Call it before each request, which has all of the time and all of the bytes."""
        self.deadline = time.monotonic() + self.seconds_max
        self.bytes_left = self.bytes_max

    def get_timeout(self) -> float:
        """The seconds that are left of the request. Raises `ReadTimeout` when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout(f"No complete answer in {self.seconds_max:g} s.")
        return left

    def take(self, data: bytes) -> bytes:
        """The data, counted. Raises `ReadError` when the answer gets too long."""
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise httpcore2.ReadError(f"The answer has more than {self.bytes_max} bytes.")
        return data

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = resolve(host, port, scheme=self.scheme)
        except UrlNotAllowed as error:
            raise httpcore2.ConnectError(error.detail) from error
        for address in addresses:
            try:
                return _BoundedStream(
                    super().connect_tcp(address, port, self.get_timeout(), local_address, socket_options),
                    self,
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


@dataclass(eq=False)
class _BoundedStream(httpcore2.NetworkStream):
    stream: httpcore2.NetworkStream
    bounds: CheckedBackend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.bounds.take(self.stream.read(max_bytes, self.bounds.get_timeout()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self.bounds.get_timeout())

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(
            self.stream.start_tls(ssl_context, server_hostname, self.bounds.get_timeout()), self.bounds
        )

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
