"""What comes over the wire as no client library would send it, against the real server."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.databases import copy_sqlite
from tests.service import service
from tests.tether import free_port

KEY = "a" * 32 + ".jpg"


@pytest.fixture(scope="module")
def port(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server on an empty database."""
    folder = tmp_path_factory.mktemp("wire")
    (folder / "results").mkdir()
    (folder / "secret.jpg").write_text("a secret beside the results")
    port = free_port()
    settings = {
        "DATABASE_URL": copy_sqlite(sqlite_template, folder),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "secret-of-the-tests",
        "REPLICATE_API_TOKEN": "r8_test",
        "STORAGE_URL": f"file://{folder}/results",
        "SANDBOX": "true",
    }
    with service(folder / "service", **settings) as running:
        running.api(port)
        yield port


def said(port: int, request: bytes, body: bytes = b"", times: int = 1) -> bytes:
    """Send these very bytes, the body so many times; return what comes back until the end."""
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as connection:
        try:
            connection.sendall(request)
            for _ in range(times):
                connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return heard(connection)


def heard(connection: socket.socket) -> bytes:
    data = b""
    try:
        while more := connection.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def get(target: str, *lines: str) -> bytes:
    return "\r\n".join(
        [f"GET {target} HTTP/1.1", "Host: a", "Connection: close", *lines, "", ""]
    ).encode()


@pytest.mark.parametrize(
    "target",
    [
        "/results/../secret.jpg", "/results/%2e%2e/secret.jpg", "/results/..%2fsecret.jpg",
        "/results//secret.jpg", "/results/./../secret.jpg", "//results/../secret.jpg",
        "/results/..;/secret.jpg", "/results/%252e%252e/secret.jpg", "/results/..\\secret.jpg",
        f"/results/{KEY}%00", f"/results/{KEY}/../../secret.jpg", "/docs/../wsgi.py",
        "/docs/%2e%2e/%2e%2e/wsgi.py", "/%2e%2e/%2e%2e/etc/passwd", "http://evil.example/results/x",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_results(port: int, target: str) -> None:
    answer = said(port, get(target))

    assert answer.startswith(b"HTTP/1.1 404 "), answer[:200]
    assert b"a secret" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "path", ["/healthz", "/api/credits", "/api/image-optimization", "/nowhere"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_in_chunks_without_end_is_answered_and_cut_off(
    port: int, method: str, path: str
) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    started = time.monotonic()

    answer = said(port, head, chunk, times=1_000)

    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 40", b"HTTP/1.1 413")) or answer == b""
    assert time.monotonic() - started < 20
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(port: int) -> None:
    answer = said(port, get("/healthz", "Content-Length: 999999999"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"body_too_large"' in answer


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: -1"],
        ["Content-Length: 1e3"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding : chunked"],
        ["X: a\x00b"],
    ],
)
def test_a_request_that_two_servers_could_read_differently_is_refused(
    port: int, lines: list[str]
) -> None:
    answer = said(port, get("/api/credits", *lines) + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1
