"""What the benchmark of the API computes: its client's count, and what it makes of the rounds."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from benchmarks.rest.client import Connection, load
from benchmarks.rest.findings import findings, targets
from benchmarks.rest.shops import Shop
from benchmarks.rest.stage import Round
from benchmarks.rest.ways import (
    APPLY,
    BARE,
    CREATE,
    DARKROOM,
    PAGE,
    PIPELINE,
    READ,
    TAGGED,
    TAGGED_PAGE,
    named,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"
NOT_MODIFIED = b'HTTP/1.1 304 NOT MODIFIED\r\nETag: W/"1"\r\n\r\n'
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def serving(*answers: list[bytes]) -> Iterator[int]:
    """A server that answers each connection's requests in turn, piece by piece; then it closes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for of_connection in answers:
            accepted, _ = listening.accept()
            with accepted:
                # Or each second piece would wait for the first one's delayed ACK.
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                accepted.settimeout(10)
                for answer in of_connection:
                    if not accepted.recv(65536):
                        break
                    for half in (answer[:20], answer[20:]):
                        accepted.sendall(half)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    thread.join(10)
    listening.close()


def test_the_client_counts_whole_answers_by_their_status() -> None:
    with (
        serving([OK, NOT_MODIFIED, OK] * 10_000) as port,
        closing(Connection(port, [REQUEST])) as connection,
    ):
        found = load([connection], seconds=0.5)

    counts = found["statuses"]
    assert set(counts) == {200, 304}
    assert sum(counts.values()) == len(found["latencies"]) > 3
    assert abs(counts[200] - 2 * counts[304]) <= 2
    assert all(0 < latency < found["seconds"] for latency in found["latencies"])


def test_the_client_goes_on_where_a_server_process_retires() -> None:
    with (
        serving([OK, LAST], [OK] * 100_000) as port,
        closing(Connection(port, [REQUEST])) as connection,
    ):
        found = load([connection], seconds=0.5)

    assert found["statuses"][200] > 2


def test_a_request_is_that_of_its_shop() -> None:
    shop = Shop(1, "dk_token", (7,))

    text = shop.request("POST", "/jobs", '{"a": 1}', {"If-None-Match": "W/1"})

    head, body = text.split("\r\n\r\n")
    assert head.split("\r\n")[0] == "POST /jobs HTTP/1.1"
    assert "Authorization: Bearer dk_token" in head
    assert "If-None-Match: W/1" in head
    assert f"Content-Length: {len(body)}" in head


USUAL = Round(rate=1000.0, p50=0.01, p99=0.02, cpu=0.001, behind_cpu=0.0003, client_cpu=0.00005)


@pytest.fixture
def figures() -> dict[str, Round]:
    """Everything as fast as everything else, but for the answers without a body."""
    whose = {CREATE: (DARKROOM, APPLY, PIPELINE), READ: (DARKROOM, BARE), PAGE: (DARKROOM, BARE)}
    usual = {named(what, each): USUAL for what, these in whose.items() for each in these}
    quicker = replace(USUAL, rate=1500.0, cpu=0.0007)
    return usual | {named(what, DARKROOM): quicker for what in (TAGGED, TAGGED_PAGE)}


def test_what_is_as_fast_as_the_bare_views_keeps_every_promise(figures: dict[str, Round]) -> None:
    assert [target.kept for target in targets(figures)] == [True] * 6


@pytest.mark.parametrize(
    ("what", "rate", "kept"),
    [
        (CREATE, 999.0, [False, True, True, True, True, True]),
        (CREATE, 549.0, [False, False, True, True, True, True]),
        (READ, 699.0, [True, True, False, True, True, True]),
        (PAGE, 701.0, [True, True, True, True, True, True]),
        (TAGGED, 1000.0, [True, True, True, True, False, True]),
    ],
)
def test_what_falls_short_is_said(
    figures: dict[str, Round], what: str, rate: float, kept: list[bool]
) -> None:
    figures[named(what, DARKROOM)] = replace(figures[named(what, DARKROOM)], rate=rate)

    assert [target.kept for target in targets(figures)] == kept


def test_a_304_that_costs_more_processor_time_is_not_cheaper(figures: dict[str, Round]) -> None:
    figures[named(TAGGED, DARKROOM)] = replace(USUAL, rate=1500.0, cpu=0.002)

    assert not targets(figures)[4].kept


def test_the_first_database_is_judged_and_every_one_is_shown(figures: dict[str, Round]) -> None:
    slow = {name: replace(each, rate=1.0) for name, each in figures.items()}

    found = findings({"PostgreSQL": figures, "SQLite": slow})

    assert all(target.kept for target in found.targets)
    assert [table.title for table in found.tables] == [
        "Requests on PostgreSQL",
        "Requests on SQLite",
    ]
    (plot,) = found.plots
    assert [x for x, _ in plot.series[DARKROOM]] == [CREATE, READ, PAGE, TAGGED, TAGGED_PAGE]
    assert plot.series[APPLY] == [(CREATE, 1000.0)]
