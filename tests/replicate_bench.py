"""A client, a scripted server for it, and the calls that the client told of."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from config.settings import Settings
from tasks.prediction import ModelInput
from tasks.provider_errors import ProviderError
from tasks.replicate import Replicate
from tasks.wire import Timeouts
from tests.scripted_server import Script, ScriptedServer, scripted_server

TOKEN = "r8_a_token_that_nobody_else_may_see"
# Long enough for an answer that comes, on a busy machine too.
FAST = Timeouts(connect=0.8, read=0.8, write=0.8, pool=0.8, total=1.2)
LAMP = ModelInput("brighter", ("https://shop.example/lamp.jpg",))
DRIPPING_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def row(status: str = "starting", name: str = "abc123", **fields: object) -> dict[str, object]:
    return {
        "id": name,
        "model": "google/nano-banana",
        "version": "hidden",
        "status": status,
        "input": LAMP.as_json(),
        "output": None,
        "error": None,
        "created_at": "2026-01-02T03:04:05.678Z",
        "urls": {"get": "https://a", "cancel": "https://b"},
        **fields,
    }


def settings(base_url: str) -> Settings:
    return Settings(
        database_url="sqlite:///unused",
        redis_url="redis://unused",
        secret_key="s" * 16,
        replicate_api_token=TOKEN,
        replicate_base_url=base_url,
        poll_interval=0.01,
    )


class Bench:
    """A server, a client, and the calls that the client told of."""

    def __init__(self, server: ScriptedServer, timeouts: Timeouts = FAST) -> None:
        self.server = server
        self.calls: list[tuple[str, str, float]] = []
        self.client = Replicate(
            settings(server.url), lambda *call: self.calls.append(call), timeouts
        )

    def create(self, *scripts: Script) -> ProviderError:
        self.server.play(*scripts)
        with pytest.raises(ProviderError) as caught:
            self.client.create_image_optimization_prediction(LAMP)
        return caught.value

    def get(self, *scripts: Script) -> ProviderError:
        self.server.play(*scripts)
        with pytest.raises(ProviderError) as caught:
            self.client.get_prediction("abc123")
        return caught.value


@contextmanager
def replicate_bench(timeouts: Timeouts = FAST) -> Iterator[Bench]:
    with scripted_server() as server:
        bench = Bench(server, timeouts)
        yield bench
        bench.client.close()
