"""SIGTERM to every process at once, in the middle of their work, as a deployment sends it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.api.clients import ROUTE, image
from tests.darkroom import Darkroom, darkroom
from tests.service import BOTH, Process, wait_until
from tests.stand_in import StandIn
from tests.tether import free_port


class Customer:
    """Orders one image after the other until nobody answers; counts what was accepted."""

    def __init__(self, port: int, token: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}{ROUTE}"
        self.token = token
        self.statuses: list[int] = []
        self.unanswered = 0
        self._closed = threading.Event()

    def order(self) -> None:
        """Run in a thread of its own; a new connection each, as many customers have them."""
        while not (self._closed.is_set() or self.unanswered):
            number = len(self.statuses)
            body = {"productId": "cup", "productName": "The cup", "images": [image(number)]}
            try:
                answer = httpx.post(self.url, json=body, headers=self.token, trust_env=False)
                self.statuses.append(answer.status_code)
            except httpx.TransportError:
                self.unanswered += 1
            self._closed.wait(0.05)

    def close(self) -> None:
        self._closed.set()


@contextmanager
def ordering(customer: Customer) -> Iterator[None]:
    thread = threading.Thread(target=customer.order)
    thread.start()
    try:
        yield
    finally:
        customer.close()
        thread.join(20)


def test_every_process_ends_within_ten_seconds_of_sigterm_and_loses_nothing(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.knobs(create_latency=[0.0, 1.0], process_latency=[0.0, 2.0])
    settings = {"FLOWER_BASIC_AUTH": "operator:flower-of-the-tests"}
    with darkroom(postgres_database, redis_url, stand_in, tmp_path, **settings) as room:
        port = free_port()
        api, flower = room.service.api(port), room.service.flower(free_port())
        processes = [api, flower, *room.service.start()]
        customer = Customer(port, room.customer("alice"))
        with ordering(customer):
            wait_until(lambda: len(room.stand_in.creates()) >= 10, "ten images under way")

            seconds = end_all(processes)

        assert max(seconds.values()) < 10, seconds
        assert {each.name: each.popen.returncode for each in processes} == dict.fromkeys(seconds, 0)
        assert room.service.complaints() == {}
        assert set(customer.statuses) == {201}
        go_on(room, customer)


def end_all(processes: list[Process]) -> dict[str, float]:
    """SIGTERM to all; the seconds until each of them was gone."""
    began = time.monotonic()
    for process in processes:
        process.popen.terminate()
    seconds: dict[str, float] = {}

    def gone() -> bool:
        ended = [each.name for each in processes if each.ended and each.name not in seconds]
        seconds.update(dict.fromkeys(ended, time.monotonic() - began))
        return len(seconds) == len(processes)

    wait_until(gone, "all are gone", patience=20)
    return seconds


def go_on(room: Darkroom, customer: Customer) -> None:
    """Every image that was answered for is made; one that was not may have been accepted too."""
    room.service.worker(BOTH)
    accepted = room.images()
    assert 0 <= accepted - len(customer.statuses) <= customer.unanswered
    room.hurry(accepted)
    room.check_settled()
