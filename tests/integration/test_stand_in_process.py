"""The stand-in as a process: how it starts, stops, and holds its connections."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.stand_in import ROOT, StandIn

PATH = "/v1/models/google/nano-banana/predictions"
ALICE = {"Authorization": "Bearer r8_alice"}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn(canned_result=True) as server:
        yield server


def test_one_connection_carries_many_calls_without_stalls(stand_in: StandIn) -> None:
    with socket.create_connection(("127.0.0.1", stand_in.port), timeout=5) as connection:
        request = b"GET /v1/predictions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n\r\n"
        took = []
        for _ in range(200):
            started = time.monotonic()
            connection.sendall(request)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
            took.append(time.monotonic() - started)

    # A delayed ACK costs 40 ms every time; a busy machine only now and then.
    assert sorted(took)[100] < 0.02


@pytest.mark.skipif(sys.platform != "linux", reason="no other kernel tells")
def test_it_knows_when_a_request_came_that_it_was_too_busy_to_read(stand_in: StandIn) -> None:
    assert stand_in.process
    request = b"GET /v1/late HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n\r\n"
    os.kill(stand_in.process.pid, signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", stand_in.port), timeout=5) as connection:
        before = time.monotonic()
        connection.sendall(request)
        sent = time.monotonic()
        time.sleep(0.5)
        os.kill(stand_in.process.pid, signal.SIGCONT)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404")

    (seen,) = [one for one in stand_in.requests() if one["path"] == "/v1/late"]
    assert before < seen["time"] < sent + 0.1


def test_it_stops_in_good_order_while_somebody_waits() -> None:
    with StandIn(process_latency=30) as stand_in:
        waiting = threading.Thread(target=_wait_for_a_prediction, args=(stand_in,))
        waiting.start()
        stand_in.wait_for(lambda it: len(it.creates()) == 1, "the create")

        status = stand_in.stop()
        waiting.join(5)

        assert status == 0
        assert not waiting.is_alive()
        assert (stand_in.folder / "log").read_text().count("\n") == 1


def _wait_for_a_prediction(stand_in: StandIn) -> None:
    """Wait longer than the stand-in lives: it answers at its end, or the connection breaks."""
    order = {"input": {"prompt": "brighter"}}
    with contextlib.suppress(httpx.TransportError):
        httpx.post(stand_in.url + PATH, json=order, headers={**ALICE, "Prefer": "wait"}, timeout=20)


def test_what_has_not_ended_in_its_time_is_aborted_or_canceled() -> None:
    with StandIn(canned_result=True) as stand_in:
        headers = {**ALICE, "Cancel-After": "5s"}
        made = [
            httpx.post(stand_in.url + PATH, json={"input": {"prompt": prompt}}, headers=headers)
            for prompt in ("[hang starting]", "[hang processing]")
        ]
        deadline = time.monotonic() + 15
        seen: list[str] = []
        while not seen or "starting" in seen or "processing" in seen:
            assert time.monotonic() < deadline
            urls = [one.json()["urls"]["get"] for one in made]
            seen = [httpx.get(url, headers=ALICE).json()["status"] for url in urls]

    assert seen == ["aborted", "canceled"]


@pytest.mark.parametrize("wrong", ["4s", "25h", "soon", "", "5"])
def test_cancel_after_takes_five_seconds_to_a_day(stand_in: StandIn, wrong: str) -> None:
    headers = {**ALICE, "Cancel-After": wrong}

    answer = httpx.post(stand_in.url + PATH, json={"input": {"prompt": "x"}}, headers=headers)

    assert answer.status_code == (201 if wrong == "5" else 422)


def test_only_the_token_of_the_command_line_is_let_in() -> None:
    with StandIn("--token", "r8_bob") as stand_in:
        url = f"{stand_in.url}/v1/account"

        alice = httpx.get(url, headers=ALICE)
        bob = httpx.get(url, headers={"Authorization": "Bearer r8_bob"})

    assert (alice.status_code, bob.status_code) == (401, 200)


def test_port_0_takes_a_free_port_and_prints_it() -> None:
    command = [sys.executable, "-m", "sandbox.replicate", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()

        answer = httpx.get(line.split()[-1] + "/_control/knobs")
        process.terminate()

    assert line.startswith("listening on http://127.0.0.1:")
    assert answer.status_code == 200
    assert process.returncode == 0


def test_help_names_the_markers() -> None:
    command = [sys.executable, "-m", "sandbox.replicate", "--help"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[fail E005]" in done.stdout


def test_other_paths_and_verbs_are_refused_in_replicates_form(stand_in: StandIn) -> None:
    lost = httpx.get(f"{stand_in.url}/v1/nothing")
    wrong = httpx.put(f"{stand_in.url}/v1/predictions")

    assert (lost.status_code, lost.json()["status"]) == (404, 404)
    assert (wrong.status_code, wrong.json()["status"]) == (405, 405)
    assert [one["status"] for one in stand_in.requests()][-2:] == [404, 405]
