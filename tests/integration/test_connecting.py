"""What is connected to is what was checked: names are looked up once, private ones are refused."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpcore
import httpx
import pytest

from tasks.connecting import CheckedBackend, look_up
from tasks.download import Downloader
from tasks.provider_errors import Retryable
from tests.replicate_bench import settings
from tests.scripted_server import ScriptedServer, answer, scripted_server
from tests.tls import accepting, over_tls, self_signed

FAST = httpx.Timeout(0.5)
PATIENT = httpx.Timeout(5.0)
DELIVERY = "https://pbxt.replicate.delivery/a.jpg"


class Names:
    """A resolver with an answer for each lookup, the last one for all that follow."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Network(httpcore.NetworkBackend):
    """Notes what is connected to; only `alive` addresses answer."""

    def __init__(self, *alive: str) -> None:
        self.alive = alive
        self.tried: list[tuple[str, int, float]] = []

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: object, **_options: object
    ) -> httpcore.NetworkStream:
        self.tried.append((host, port, timeout or 0.0))
        if host not in self.alive:
            raise httpcore.ConnectTimeout
        return httpcore.NetworkStream()


def nobody(_host: str, _port: int) -> bool:
    return False


def everybody(_host: str, _port: int) -> bool:
    return True


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.play(answer(200, b"image bytes"))
        yield server


def port_of(server: ScriptedServer) -> int:
    return int(server.url.rpartition(":")[2])


def test_a_name_is_looked_up_once_and_the_checked_address_is_used() -> None:
    names, network = Names(["8.8.8.8"], ["127.0.0.1"]), Network("8.8.8.8", "127.0.0.1")

    CheckedBackend(names, nobody, network).connect_tcp("a.example", 443, 1.0)

    assert names.asked == [("a.example", 443)]
    assert [tried[:2] for tried in network.tried] == [("8.8.8.8", 443)]


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"], ["::1"], ["10.1.2.3"], ["169.254.169.254"], ["fd00:ec2::254"],
        ["::ffff:127.0.0.1"], ["fe80::1%eth0"], ["64:ff9b::7f00:1"], ["2002:7f00:1::1"],
        ["0.0.0.0"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1111", "192.168.0.1"],
    ],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_is_not_connected_to(found: list[str]) -> None:
    network = Network(*found)

    with pytest.raises(Retryable, match="private"):
        CheckedBackend(Names(found), nobody, network).connect_tcp("a.example", 443, 1.0)

    assert network.tried == []


def test_a_trusted_name_may_lead_anywhere() -> None:
    network = Network("10.1.2.3")

    CheckedBackend(Names(["10.1.2.3"]), everybody, network).connect_tcp("a.example", 443, 1.0)

    assert len(network.tried) == 1


def test_the_addresses_are_tried_in_turn_within_the_time_for_one_connection() -> None:
    dead, alive = ["8.8.8.1", "8.8.8.2", "8.8.8.3"], "8.8.8.4"
    network = Network(alive)

    CheckedBackend(Names([*dead, alive]), nobody, network).connect_tcp("a.example", 443, 1.0)

    assert [host for host, _port, _timeout in network.tried] == [*dead, alive]
    assert network.tried[0][2] == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("found", [[], ["8.8.8.1", "8.8.8.2"]])
def test_no_address_and_no_answer_are_failures_to_connect(found: list[str]) -> None:
    with pytest.raises((httpcore.ConnectError, httpcore.ConnectTimeout)):
        CheckedBackend(Names(found), nobody, Network()).connect_tcp("a.example", 443, 1.0)


def test_a_lookup_that_hangs_is_given_up(server: ScriptedServer) -> None:
    over = threading.Event()

    def hang(_host: str, _port: int) -> list[str]:
        over.wait(30)
        return []

    downloader = Downloader(settings(server.url), FAST, lookup=hang)
    started = time.monotonic()
    with pytest.raises(Retryable, match="ConnectTimeout"):
        downloader.download_result(f"{server.url}/a.jpg")

    assert time.monotonic() - started < 5
    over.set()
    downloader.close()


@pytest.mark.parametrize("name", ["no-such-name.invalid", "a" * 64 + ".example", "a..example"])
def test_a_name_that_nobody_has_may_be_there_later(name: str) -> None:
    backend = CheckedBackend(look_up, nobody, Network())

    with pytest.raises((httpcore.ConnectError, httpcore.ConnectTimeout)):
        backend.connect_tcp(name, 443, 2.0)


def test_replicates_own_name_is_refused_where_it_leads_into_a_private_network() -> None:
    names = Names(["127.0.0.1"])
    downloader = Downloader(settings("https://api.replicate.com"), FAST, lookup=names)

    with pytest.raises(Retryable, match="private"):
        downloader.download_result(DELIVERY)

    assert names.asked == [("pbxt.replicate.delivery", 443)]
    downloader.close()


def test_a_setting_allows_private_addresses() -> None:
    relaxed = replace(settings("https://api.replicate.com"), allow_private_image_urls=True)
    downloader = Downloader(relaxed, FAST, lookup=Names(["127.0.0.1"]))

    with pytest.raises(Retryable, match="Connect"):
        downloader.download_result(DELIVERY)

    downloader.close()


def test_the_base_urls_own_origin_may_be_private_but_nothing_else_of_its_host(
    server: ScriptedServer,
) -> None:
    names = Names(["127.0.0.1"])
    base = f"http://replicate.example:{port_of(server)}"
    downloader = Downloader(settings(base), FAST, lookup=names)

    data = downloader.download_result(f"{base}/a.jpg")

    assert data == b"image bytes"
    assert server.requests[0].headers["host"] == base.removeprefix("http://")
    assert not downloader._trusts("replicate.example", 1)
    downloader.close()


def test_an_open_connection_is_used_again_without_another_lookup(server: ScriptedServer) -> None:
    names = Names(["127.0.0.1"])
    base = f"http://replicate.example:{port_of(server)}"
    downloader = Downloader(settings(base), FAST, lookup=names)

    for _ in range(3):
        downloader.download_result(f"{base}/a.jpg")

    assert (len(names.asked), len(server.requests)) == (1, 3)
    downloader.close()


def test_a_proxy_of_the_environment_is_asked_with_the_name(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    names = Names(["127.0.0.1"])
    downloader = Downloader(settings("http://replicate.example"), FAST, lookup=names)

    downloader.download_result("http://replicate.example/a.jpg")

    assert server.requests[0].target == "http://replicate.example/a.jpg"
    assert names.asked == []
    downloader.close()


@pytest.mark.parametrize(
    ("certified", "data"), [("replicate.example", b"image"), ("other.example", None)]
)
def test_tls_is_for_the_name_though_the_connection_is_to_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str, data: bytes | None
) -> None:
    certificate = self_signed(certified, tmp_path)
    context = accepting(certificate)
    named: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with over_tls(context) as port:
        base = f"https://replicate.example:{port}"
        downloader = Downloader(settings(base), PATIENT, lookup=Names(["127.0.0.1"]))

        fetched = fetch(downloader, f"{base}/a.jpg")

    assert fetched == data
    assert named == ["replicate.example"]
    downloader.close()


def fetch(downloader: Downloader, url: str) -> bytes | None:
    try:
        return downloader.download_result(url)
    except Retryable:
        return None
