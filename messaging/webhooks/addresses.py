"""Where deliveries may go: public addresses only (docs/webhooks.md). What an endpoint's address says is judged
here when it is made or changed; what its name resolves to, at each connection (dialing.py)."""

import ipaddress
import re
from typing import Final

from django.conf import settings
from httpx2 import URL, InvalidURL

from chatplatform.errors import Invalid
from clients.fields import json_problem

from ..webhook_models import URL_LENGTH

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Beyond what `is_global` of the ipaddress module refuses (reliability.md 3.42), or that its versions differ about.
_REFUSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "168.63.129.16/32",  # a cloud's own service, at an address that looks public
        "::/16",  # unspecified, loopback, IPv4-compatible, IPv4-mapped
        "64:ff9b::/96", "64:ff9b:1::/48",  # NAT64
        "100::/8", "2001::/23",  # discard; Teredo, benchmarks, ORCHID
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8",
    )
)  # fmt: skip
_PUBLIC_IPV6: Final = ipaddress.ip_network("2000::/3")
#: Names that never leave one's own network.
_OWN_NAMES: Final = frozenset({
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa",
})  # fmt: skip
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
#: What every program that reads addresses takes for a number, in whatever notation.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = (80, 443)  # and those from 1024 on


class Refused(Exception):
    """No connection may go there; its words say why."""


def check_url(url: str) -> str:
    """The address of an endpoint, as it was given. Raises Invalid."""
    try:
        parse(url)
    except Refused as error:
        raise Invalid("Validation error", fields={"url": [str(error)]}) from error
    return url


def parse(url: str) -> URL:
    """Raises Refused."""
    if len(url) > URL_LENGTH:
        raise Refused(f"Up to {URL_LENGTH} characters.")
    if json_problem(url) or re.search(r"[\s\\\x00-\x20\x7f]", url) or not re.match(r"(?i)https?://[^/?#]", url):
        raise Refused("An address that begins with https:// or http:// is required.")
    try:
        parsed = URL(url)
        host = parsed.raw_host.decode("ascii").lower()
        port = parsed.port
    except (InvalidURL, UnicodeError, ValueError) as error:
        raise Refused("This is no address.") from error
    authority = re.split(r"[/?#]", url)[2]
    if parsed.userinfo or "@" in authority:
        raise Refused("A user or password in the address is not allowed.")
    if "#" in url:
        raise Refused("A # in the address is not allowed.")
    check_host(host)
    _, colon, digits = authority.rpartition("]")[2].rpartition(":")
    if (colon and not re.fullmatch(r"[0-9]{0,5}", digits)) or (port or 0) > 65535:
        raise Refused("There is no such port.")
    if port is not None and port not in _PORTS and not 1024 <= port <= 65535 and not allows_private():
        raise Refused("Ports are 80, 443, and those from 1024 on.")
    if port == 0:
        raise Refused("There is no such port.")
    return parsed


def check_host(host: str) -> None:
    """A name, or a number as it stands in an address. Raises Refused."""
    host = host.strip("[]")
    if ":" in host:
        check_address(host)
        return
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        check_address(".".join(labels))
        return
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
        raise Refused("This is no name of a host.")
    if (len(labels) == 1 or labels[-1] in _OWN_NAMES) and not allows_private():
        raise Refused("An address within the network of this server is not allowed.")


def check_address(text: str) -> Address:
    """An IP address in its one usual notation. Raises Refused for any that is not public."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise Refused("This is no address of a host.") from error
    if getattr(address, "scope_id", None) or (not is_public(address) and not allows_private()):
        raise Refused("An address within the network of this server is not allowed.")
    return address


def is_public(address: Address) -> bool:
    """Whether it is of the open network, and leads nowhere else by being translated."""
    if not address.is_global or address.is_multicast:
        return False
    if address.version == 6 and address not in _PUBLIC_IPV6:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)


def allows_private() -> bool:
    """For development: WEBHOOK_ALLOW_PRIVATE."""
    return bool(settings.WEBHOOK_ALLOW_PRIVATE)
