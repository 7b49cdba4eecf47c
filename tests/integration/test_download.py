"""Results are fetched without token, without redirects, from listed hosts, within bounds."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tasks.download import Downloader, Stopping, result_address
from tasks.provider_errors import Permanent, ResultGone, ResultUnusable, Retryable
from tests.replicate_bench import TOKEN, settings
from tests.scripted_server import (
    Script,
    ScriptedServer,
    answer,
    close,
    dripping,
    garbage,
    reset,
    scripted_server,
    silence,
    truncated,
)

FAST = httpx.Timeout(0.8)
ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def downloader(server: ScriptedServer) -> Iterator[Downloader]:
    small = replace(settings(server.url), result_max_bytes=1000)
    downloader = Downloader(small, phases=FAST, total=1.2)
    yield downloader
    downloader.close()


def test_a_result_comes_as_it_is_and_no_token_goes_out(
    server: ScriptedServer, downloader: Downloader
) -> None:
    server.play(answer(200, b"image bytes"))

    data = downloader.download_result(f"{server.url}/files/a.jpg")

    sent = server.requests[0]
    assert data == b"image bytes"
    assert "authorization" not in sent.headers
    assert TOKEN not in str(sent)
    assert sent.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "url",
    [
        "https://replicate.delivery/a.jpg",
        "https://pbxt.replicate.delivery/x/a.jpg?sig=1",
        "https://REPLICATE.delivery:443/a.jpg",
        "https://api.replicate.com/v1/files/a/download",
    ],
)
def test_replicates_own_addresses_are_allowed(url: str) -> None:
    assert result_address(url, httpx.URL("https://api.replicate.com")) == httpx.URL(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.jpg",
        "https://replicate.delivery.evil.example/a.jpg",
        "https://evilreplicate.delivery/a.jpg",
        "https://replicate.delivery@evil.example/a.jpg",
        "https://user:pass@replicate.delivery/a.jpg",
        "http://replicate.delivery/a.jpg",
        "https://replicate.delivery:8443/a.jpg",
        "http://127.0.0.1:1/a.jpg",
        "http://localhost/a.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//replicate.delivery/a.jpg",
        "not a url",
        "https://[::1",
        "",
    ],
)
def test_an_address_that_is_not_listed_is_refused_without_a_request(
    downloader: Downloader, url: str
) -> None:
    with pytest.raises(ResultUnusable):
        downloader.download_result(url)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_refused(server: ScriptedServer, downloader: Downloader, status: int) -> None:
    with scripted_server() as other:
        server.play(answer(status, b"", Location=f"{other.url}/a.jpg"))

        with pytest.raises(ResultUnusable):
            downloader.download_result(f"{server.url}/a.jpg")

        assert other.requests == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (answer(404, b""), ResultGone),
        (answer(410, b""), ResultGone),
        (answer(403, b""), Retryable),
        (answer(429, b""), Retryable),
        (answer(500, b""), Retryable),
        (answer(503, b""), Retryable),
        (answer(204, b""), Retryable),
        (close, Retryable),
        (reset, Retryable),
        (garbage, Retryable),
        (truncated(200, b"half"), Retryable),
        (answer(200, b"small", Content_Encoding="gzip"), ResultUnusable),
        (answer(200, b"x" * 1001), ResultUnusable),
        (truncated(200, b"x" * 950), ResultUnusable),
    ],
)
def test_each_fault_of_a_download_is_sorted(
    server: ScriptedServer,
    downloader: Downloader,
    script: Script,
    expected: type[Retryable | Permanent],
) -> None:
    server.play(script)

    with pytest.raises(expected):
        downloader.download_result(f"{server.url}/a.jpg")

    assert len(server.requests) == 1


def test_a_result_without_announced_length_is_cut_off_at_the_cap(
    server: ScriptedServer, downloader: Downloader
) -> None:
    def flood(connection: object) -> object:
        connection.sendall(ENDLESS + b"x" * 5000)  # type: ignore[attr-defined]
        return None

    server.play(flood)

    with pytest.raises(ResultUnusable):
        downloader.download_result(f"{server.url}/a.jpg")


def test_a_silent_server_ends_by_the_read_timeout(
    server: ScriptedServer, downloader: Downloader
) -> None:
    server.play(silence(server))

    with pytest.raises(Retryable):
        downloader.download_result(f"{server.url}/a.jpg")


@pytest.mark.parametrize("head", [ENDLESS, b"HTTP/1.1 200 OK\r\nA: ", b""])
def test_a_dripping_result_ends_by_the_total_deadline(
    server: ScriptedServer, downloader: Downloader, head: bytes
) -> None:
    server.play(dripping(server, head, pause=0.02))
    started = time.monotonic()

    with pytest.raises(Retryable):
        downloader.download_result(f"{server.url}/a.jpg")

    assert time.monotonic() - started < 5


def test_a_process_that_is_stopping_leaves_the_download_between_chunks(
    server: ScriptedServer, downloader: Downloader
) -> None:
    stopping = threading.Event()
    stopping.set()
    server.play(dripping(server, ENDLESS, pause=0.02))

    with pytest.raises(Stopping):
        downloader.download_result(f"{server.url}/a.jpg", stopping)
