"""Preview addresses: a shop's image URL, compressed where that helps, and signed.

The signature keeps strangers from having this service fetch what they like. A token lets its holder
fetch that one picture and nothing else; it never expires, so that what caches hold stays good.
"""

import hashlib
import zlib
from functools import lru_cache

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from api import current
from models.errors import NotFound

# With method, path and version this stays below the 8190 bytes that gunicorn reads of a first line.
# Only an address of 2000 of the rarest characters makes a longer one, of 8240 at the most.
LONGEST_TOKEN = 8000
PLAIN, COMPRESSED = b"p", b"z"


def preview_url(image_url: str) -> str | None:
    """Return where this service shows that image; None where the token would be too long."""
    token = _token(current.settings().secret_key, image_url)
    return current.url(f"/previews/{token}") if len(token) <= LONGEST_TOKEN else None


def source_of(token: str) -> str:
    """Return the URL that a token was made from; raises `NotFound` for any other token."""
    try:
        packed = base64_decode(_signer(current.settings().secret_key).unsign(token))
    except BadSignature as error:
        raise NotFound("There is nothing at this address.") from error
    text = packed[1:]
    return (zlib.decompress(text) if packed[:1] == COMPRESSED else text).decode()


@lru_cache(maxsize=1024)
def _token(secret_key: str, image_url: str) -> str:
    """Whoever follows a job is shown the same pictures every few seconds."""
    return _signer(secret_key).sign(base64_encode(_packed(image_url))).decode()


def _packed(image_url: str) -> bytes:
    plain = image_url.encode()
    compressed = zlib.compress(plain, 9)
    return COMPRESSED + compressed if len(compressed) < len(plain) else PLAIN + plain


def _signer(secret_key: str) -> Signer:
    return Signer(
        secret_key,
        salt="previews",
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
