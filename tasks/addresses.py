"""Which addresses are on the public internet, and which lead into somebody's private network.

Nothing here asks DNS: an address in numbers is judged by its numbers, a name by its ending. What a
name really leads to is checked where a connection is made (`tasks/connecting.py`).
"""

import re
import unicodedata
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# IANA's special-purpose registries, by hand: what Python calls global differs between its versions.
_PRIVATE_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # "this host": Linux connects to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public number, but only inside Azure: its hosts' agent
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# The rest of IPv6 (loopback, ULA, link-local, site-local, multicast, ...) is not given to anybody.
_GLOBAL_V6 = IPv6Network("2000::/3")
_PRIVATE_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocols' own: Teredo hides an IPv4 address in it
        "2001:db8::/32",
        "2002::/16",  # 6to4 hides one as well
        "3fff::/20",
    )
)
# An IPv4 address is meant. Hosts of an IPv6-only network reach all of IPv4 by the second.
_MAPPED = tuple(IPv6Network(text) for text in ("::ffff:0:0/96", "64:ff9b::/96"))

# RFC 6761, 6762 (with its appendix G), 8375, ICANN's `internal`, and what clouds, clusters and
# home routers use. `example` and `test` lead nowhere, and documents are full of them.
_PRIVATE_NAMES = frozenset(
    {
        "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home",
        "lan", "home.arpa", "svc", "consul", "docker",
        "metadata.goog",
        # Their whole purpose is to be a name for a private address.
        "localtest.me", "lvh.me", "nip.io", "sslip.io",
    }
)  # fmt: skip
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")


def is_public(address: Address) -> bool:
    """Tell whether anybody on the internet would reach the same machine by this address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _PRIVATE_V4)
    if any(address in network for network in _MAPPED):
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _PRIVATE_V6)


@lru_cache(maxsize=1024)
def is_public_host(host: str) -> bool:
    """Tell whether a URL's host may be public: an IPv6 address without its brackets, an IPv4
    address, or a name.

    IPv4 must be written as four plain decimal numbers: `0177.1`, `2130706433` and `0x7f.1` are one
    address to some resolvers and another, or none, to others.

    A shop has its pictures on few hosts, so the last answers are kept.
    """
    if ":" in host:
        return _is_public_v6(host)
    name = _as_resolvers_read(host)
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _is_public_v4(name)
    return "." in name and not _is_private_name(name)


def _is_public_v6(text: str) -> bool:
    """A zone (`%eth0`) only means something to the machine that has it."""
    try:
        return "%" not in text and is_public(ip_address(text))
    except ValueError:
        return False


def _is_public_v4(text: str) -> bool:
    try:
        return bool(_DOTTED.fullmatch(text)) and is_public(IPv4Address(text))
    except ValueError:
        return False


def _is_private_name(name: str) -> bool:
    """A name is private with everything below it."""
    labels = name.split(".")
    return any(".".join(labels[start:]) in _PRIVATE_NAMES for start in range(len(labels)))


def _as_resolvers_read(host: str) -> str:
    """Undo what international names allow: full-width letters, other scripts' digits and dots,
    invisible characters; and the dot at a name's end."""
    plain = unicodedata.normalize("NFKC", host).casefold().replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    seen = (c for c in plain if unicodedata.category(c) not in {"Cf", "Mn"})
    return "".join(str(unicodedata.decimal(c, c)) for c in seen).removesuffix(".")
