"""Get the input image, as Replicate does, and fail with the texts that Replicate fails with."""

import base64
import binascii
from http.client import responses
from urllib.parse import unquote_to_bytes

from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

LARGEST = 100 * 2**20
LARGEST_DATA_URI = 256_000
CONNECT_SECONDS = 5.0
SECONDS = 20.0


class BadInput(Exception):
    """The image cannot be had; the text is the prediction's error."""

    def __init__(self, reason: str, url: str) -> None:
        super().__init__(f"Input validation error: {reason} for url: {url[:200]}")


def client() -> AsyncHTTPClient:
    """Return a client of its own, whose answers are bounded."""
    return AsyncHTTPClient(force_instance=True, max_clients=100, max_body_size=LARGEST)


async def image(http: AsyncHTTPClient, url: str) -> bytes:
    """Return the bytes at an `http(s)` or `data:` address; raises `BadInput`."""
    if url.startswith("data:"):
        return _from_data_uri(url)
    try:
        response = await http.fetch(
            url, connect_timeout=CONNECT_SECONDS, request_timeout=SECONDS, max_redirects=5
        )
    except HTTPTimeoutError:
        raise BadInput("Read timed out", url) from None
    except HTTPStreamClosedError:
        raise BadInput("Connection aborted", url) from None
    except HTTPClientError as error:
        raise BadInput(_status_text(error.code), url) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"Failed to establish a connection ({error})", url) from None
    return response.body


def _status_text(status: int) -> str:
    side = "Client" if status < 500 else "Server"
    return f"{status} {side} Error: {responses.get(status, 'Unknown')}"


def _from_data_uri(uri: str) -> bytes:
    head, _, data = uri.partition(",")
    if len(uri) > LARGEST_DATA_URI:
        raise BadInput("the data URI is larger than 256 kB", uri[:60])
    try:
        encoded = head.endswith(";base64")
        return base64.b64decode(data, validate=True) if encoded else unquote_to_bytes(data)
    except binascii.Error:
        raise BadInput("the data URI is not base64", uri[:60]) from None
