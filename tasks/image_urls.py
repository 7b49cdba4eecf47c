"""Which addresses may name a shop's image: what is ordered, and every hop of fetching one.

Nothing is looked up here: a name may lead elsewhere when the image is fetched.
"""

import ipaddress
import re

from tasks.addresses import is_public_host

LONGEST = 2048

_PORT = r"(?::(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_REST = r"(?:[/?#][^\s\\\x00-\x20\x7f-\xa0]*)?"
# Two labels at least, the last of which is no number: other hosts are mostly private.
_NAME = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?"
_SCHEME = r"[Hh][Tt][Tt][Pp][Ss]?"
# For readers of the OpenAPI document.
PATTERN = f"^{_SCHEME}://{_NAME}{_PORT}{_REST}$"
_HOST = r"(?P<name>[\w](?:[\w.-]*[\w])?\.?)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\]"
_URL = re.compile(rf"{_SCHEME}://(?:{_HOST}){_PORT}{_REST}")


def fault_of(url: str, private_too: bool) -> str | None:
    """Return the sentence that says why `url` may not name an image, or None if it may."""
    match = _URL.fullmatch(url)
    if match is None:
        return "Must be an http or https URL with a host, without spaces and without a password."
    if match["ipv6"] and not _is_ipv6(match["ipv6"]):
        return "Its host is not an IPv6 address."
    if not private_too and not is_public_host(match["name"] or match["ipv6"]):
        return (
            "Its host must be on the public internet: a full name, or an address in the usual form."
        )
    return None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
