"""Sending a file to Replicate: once, for so long only, and not beyond the end of the process."""

import io
import time
from collections.abc import Iterator

import pytest

from tasks.download import Stopping
from tasks.provider_errors import Permanent, Retryable
from tasks.provider_files import UploadedFile
from tests.replicate_bench import TOKEN, Bench, replicate_bench
from tests.scripted_server import answer, silence

PICTURE = bytes(range(256)) * 2000
FILE = {
    "id": "abc",
    "name": "cup.png",
    "urls": {"get": "https://api.replicate.com/v1/files/abc"},
    "created_at": "2026-01-31T09:00:00.123Z",
    "expires_at": "2026-02-01T09:00:00.123Z",
}


@pytest.fixture
def bench() -> Iterator[Bench]:
    with replicate_bench() as bench:
        yield bench


def test_a_file_is_sent_as_the_official_client_does(bench: Bench) -> None:
    bench.server.play(answer(201, FILE))

    uploaded = bench.client.upload_file("cup.png", io.BytesIO(PICTURE), "image/png")

    [request] = bench.server.requests
    assert uploaded == UploadedFile("https://api.replicate.com/v1/files/abc", 86_400.0)
    assert request.target == "/v1/files"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert "cancel-after" not in request.headers
    assert PICTURE in request.body
    assert b'name="content"; filename="cup.png"' in request.body
    assert [call[:2] for call in bench.calls] == [("create_file", "ok")]


def test_a_refused_file_is_sent_once_and_silence_ends(bench: Bench) -> None:
    bench.server.play(answer(400, {"detail": "no"}), answer(503, {}), silence(bench.server))
    began = time.monotonic()

    with pytest.raises(Permanent):
        bench.client.upload_file("cup.png", io.BytesIO(PICTURE), "image/png")
    for _ in range(2):
        with pytest.raises(Retryable):
            bench.client.upload_file("cup.png", io.BytesIO(PICTURE), "image/png")

    assert len(bench.server.requests) == 3
    assert time.monotonic() - began < 8


def test_a_file_that_may_be_read_no_further_ends_the_call(bench: Bench) -> None:
    class Ending(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise Stopping

    with pytest.raises(Stopping):
        bench.client.upload_file("cup.png", Ending(PICTURE), "image/png")
    bench.server.play(answer(201, FILE))

    assert bench.client.upload_file("cup.png", io.BytesIO(PICTURE), "image/png").seconds == 86_400
