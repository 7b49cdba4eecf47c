"""The stand-in's webhooks, received on loopback and checked by the real client's validator."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from replicate.webhook import Webhooks, WebhookSigningSecret

from sandbox.replicate.webhooks import signature
from tests.stand_in import StandIn

PATH = "/v1/models/google/nano-banana/predictions"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAUSES = [0.05, 0.05, 0.05]


@dataclass
class Letter:
    headers: dict[str, str]
    body: str
    time: float

    @property
    def status(self) -> str:
        return str(json.loads(self.body)["status"])

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver(ThreadingHTTPServer):
    """Answers with the next of `statuses`, then with 200, and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.letters: list[Letter] = []
        self.statuses: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    def wait_for(self, count: int, patience: float = 5.0) -> list[Letter]:
        deadline = time.monotonic() + patience
        while len(self.letters) < count:
            assert time.monotonic() < deadline, f"{len(self.letters)} of {count} webhooks came"
            time.sleep(0.01)
        return self.letters


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.letters.append(Letter(headers, body, time.monotonic()))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    knobs = {"canned_result": True, "webhooks": {"pauses": PAUSES}}
    with StandIn("--webhook-secret", SECRET, **knobs) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
    thread.start()
    yield receiver
    receiver.shutdown()
    thread.join()
    receiver.server_close()


@pytest.fixture
def stand_in(server: StandIn) -> StandIn:
    server.reset()
    return server


def create(stand_in: StandIn, receiver: Receiver, *events: str) -> httpx.Response:
    order: dict[str, object] = {"input": {"prompt": "brighter"}, "webhook": receiver.url}
    if events:
        order["webhook_events_filter"] = list(events)
    headers = {"Authorization": "Bearer r8_alice"}
    return httpx.post(stand_in.url + PATH, json=order, headers=headers, timeout=5)


def validate(letter: Letter, secret: str = SECRET) -> None:
    Webhooks.validate(
        headers=letter.headers,
        body=letter.body,
        secret=WebhookSigningSecret(key=secret),
        tolerance=300,
    )


def test_the_published_test_vector_gives_its_signature() -> None:
    signed = signature(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_real_validator_accepts_a_webhook_and_no_other_secret(
    stand_in: StandIn, receiver: Receiver
) -> None:
    made = create(stand_in, receiver, "completed").json()

    (letter,) = receiver.wait_for(1)

    validate(letter)
    assert json.loads(letter.body)["id"] == made["id"]
    assert letter.status == "succeeded"
    with pytest.raises(ValueError, match="signature"):
        validate(letter, "whsec_" + "A" * 32)


def test_without_a_filter_every_event_comes_in_order(stand_in: StandIn, receiver: Receiver) -> None:
    create(stand_in, receiver)

    letters = receiver.wait_for(4)

    assert [letter.status for letter in letters] == ["processing"] * 3 + ["succeeded"]
    assert json.loads(letters[0].body)["output"] is None
    assert json.loads(letters[2].body)["output"]


def test_a_filter_lets_only_its_events_through(stand_in: StandIn, receiver: Receiver) -> None:
    create(stand_in, receiver, "start", "completed")

    statuses = [letter.status for letter in receiver.wait_for(2)]

    assert statuses == ["processing", "succeeded"]


def test_the_final_event_is_sent_again_until_it_is_taken(
    stand_in: StandIn, receiver: Receiver
) -> None:
    receiver.statuses = [500, 302]

    create(stand_in, receiver, "completed")
    letters = receiver.wait_for(3)

    assert len({letter.id for letter in letters}) == 1
    assert {json.loads(letter.body)["status"] for letter in letters} == {"succeeded"}
    for letter in letters:
        validate(letter)


def test_an_event_before_the_final_one_is_sent_once(stand_in: StandIn, receiver: Receiver) -> None:
    receiver.statuses = [500]

    create(stand_in, receiver, "start", "completed")
    letters = receiver.wait_for(2)

    assert [letter.status for letter in letters] == ["processing", "succeeded"]


def test_duplicates_are_the_same_letter(stand_in: StandIn, receiver: Receiver) -> None:
    stand_in.knobs(webhooks={"duplicate": 2})

    create(stand_in, receiver, "completed")

    assert len({letter.id for letter in receiver.wait_for(3)}) == 1


def test_an_early_webhook_outruns_the_answer_of_its_create(
    stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.knobs(webhooks={"early": 1}, process_latency=0.1)

    answered = create(stand_in, receiver, "completed")

    assert answered.status_code == 201
    assert len(receiver.letters) == 1


def test_a_late_webhook_comes_after_its_delay(stand_in: StandIn, receiver: Receiver) -> None:
    stand_in.knobs(webhooks={"late": 0.3})

    create(stand_in, receiver, "completed")
    (letter,) = receiver.wait_for(1)

    assert letter.time - stand_in.creates()[0]["time"] >= 0.3


def test_out_of_order_webhooks_begin_with_the_end(stand_in: StandIn, receiver: Receiver) -> None:
    stand_in.knobs(webhooks={"out_of_order": 1})

    create(stand_in, receiver, "start", "completed")

    statuses = [letter.status for letter in receiver.wait_for(2)]
    assert statuses == ["succeeded", "processing"]


def test_a_badly_signed_webhook_is_refused_by_the_validator(
    stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.knobs(webhooks={"bad_signature": 1})

    create(stand_in, receiver, "completed")
    (letter,) = receiver.wait_for(1)

    with pytest.raises(ValueError, match="signature"):
        validate(letter)


def test_a_lost_webhook_never_comes(stand_in: StandIn, receiver: Receiver) -> None:
    stand_in.knobs(webhooks={"lost": 1})
    create(stand_in, receiver, "completed")
    stand_in.knobs(webhooks={"lost": 0})

    later = create(stand_in, receiver, "completed").json()

    assert [json.loads(one.body)["id"] for one in receiver.wait_for(1)] == [later["id"]]


@pytest.mark.parametrize(
    "wrong", [{"webhook": "ftp://x"}, {"webhook": 5}, {"webhook_events_filter": ["ended"]}]
)
def test_a_webhook_that_cannot_be_is_refused(stand_in: StandIn, wrong: dict[str, object]) -> None:
    order = {"input": {"prompt": "brighter"}, **wrong}
    headers = {"Authorization": "Bearer r8_alice"}

    answer = httpx.post(stand_in.url + PATH, json=order, headers=headers)

    assert answer.status_code == 422
