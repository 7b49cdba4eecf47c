"""Mallory has a token of her own, knows every id of Alice's, and learns nothing from it."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer
from PIL import Image
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from config.forms import RateLimit
from config.settings import Settings
from models import accounts, lifecycle
from models.database import db
from models.tables import Attempt, Item
from tests.api.addresses import METHODS, filled, rules
from tests.api.clients import JOBS, ROUTE, Shop, image, open_shop, order
from tests.shop import DEADLINE

# What belongs to a request rather than to what was asked for.
OWN = {"X-Request-Id", "Date"}
BODIES: list[object] = [None, {}, order(), {"images": [1]}, {"jobId": 1, "retryOf": 1}]
KEY = "key-of-alice"


@dataclass(frozen=True)
class Known:
    """What Alice has: ids by the kind of a route's part, and ids of the same shape that nobody
    has."""

    hers: dict[str, list[str]]
    nobodys: dict[str, str]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """She asks more than a thousand times."""
    return replace(settings, api_rate_limit=RateLimit(100_000, 60.0))


@pytest.fixture
def mallory(app: Flask) -> Shop:
    return open_shop(app, "mallory", credits=1234)


@pytest.fixture
def known(app: Flask, alice: Shop) -> Known:
    """Alice has three jobs, one of them under way, and one of everything else."""
    jobs = [alice.post(order(3), {"Idempotency-Key": KEY}).get_json()["job"]["id"]]
    jobs += [alice.post(order(2)).get_json()["job"]["id"] for _ in range(2)]
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
        assert turn is not None
        items = db.session.scalars(select(Item.id)).all()
        attempt = db.session.scalars(select(Attempt)).one()
        reference, attempt_id = attempt.reference, attempt.id
    _put_by(alice)
    ids = [str(number) for number in {*jobs, *items, attempt_id, alice.id}]
    # As long as hers, so that an answer that repeats it is as long, too.
    nobodys = {"id": "9", "reference": "x" * len(reference), "string": "9"}
    return Known({"id": ids, "reference": [reference], "string": [*ids, KEY]}, nobodys)


def facts(answer: TestResponse, asked: str = "nothing") -> object:
    """An answer without what differs between any two requests."""
    headers = sorted((k, v) for k, v in answer.headers if k not in OWN)
    body = answer.get_json(silent=True)
    if isinstance(body, dict):
        body.pop("requestId", None)
    said = json.dumps(body) if body is not None else answer.text
    return answer.status_code, headers, re.sub(rf"\b{re.escape(asked)}\b", "…", said)


def ask(shop: Shop, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
    return shop.client().open(
        path, method=method, json=body, headers=shop.bearer | headers, buffered=True
    )


def pairs(app: Flask, known: Known) -> Iterable[tuple[str, str, str, str]]:
    """Each address of something of Alice's, and the same of what nobody has."""
    for rule in rules(app):
        for kind, ids in known.hers.items():
            nobodys = with_part(rule, kind, known.nobodys[kind])
            for value in ids if nobodys != with_part(rule, kind, "other") else []:
                yield with_part(rule, kind, value), value, nobodys, known.nobodys[kind]


def with_part(rule: Rule, kind: str, value: str) -> str:
    """The route's path with `value` for the parts of this kind."""
    return filled(rule, lambda part: value if part == kind else part)


def _put_by(alice: Shop) -> None:
    """What else has an id: a batch, a preset, an endpoint, an upload; all of them are number 1."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    picture.seek(0)
    preset = {"name": "white", "prompt": "white background"}
    for path, body in (
        (f"{ROUTE}/batch", {"json": {"jobs": [order()]}}),
        ("/api/prompt-presets", {"json": preset}),
        ("/api/webhook-endpoints", {"json": {"url": "https://alice.example/hooks"}}),
        ("/api/uploads", {"data": {"file": (picture, "cup.png")}}),
    ):
        made = alice.client().post(path, headers=alice.bearer, **body)
        assert (made.status_code, made.get_json().get("id", 1)) == (201, 1), made.text


def test_what_is_alices_is_to_mallory_as_if_it_were_not_there(
    app: Flask, alice: Shop, mallory: Shop, known: Known
) -> None:
    before = [ask(alice, "GET", f"{JOBS}/{job['id']}").data for job in alice.jobs()]
    tried = 0

    for hers, value, nobodys, other in pairs(app, known):
        for method in METHODS:
            for body in BODIES if method in {"POST", "PUT", "PATCH"} else BODIES[:1]:
                found, missing = (
                    ask(mallory, method, hers, body),
                    ask(mallory, method, nobodys, body),
                )
                assert facts(found, value) == facts(missing, other), (method, hers)
                assert found.status_code >= 400 or method == "OPTIONS", (method, hers)
                tried += 1

    assert tried > 50
    assert [ask(alice, "GET", f"{JOBS}/{job['id']}").data for job in alice.jobs()] == before
    assert mallory.balance() == 1234
    assert mallory.jobs() == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_tag_of_alices_tells_mallory_nothing(
    alice: Shop, mallory: Shop, known: Known, method: str
) -> None:
    paths = ["/api/credits", JOBS, f"{JOBS}?limit=1", *(f"{JOBS}/{i}" for i in known.hers["id"])]
    tags = ", ".join(t for p in paths if (t := ask(alice, "GET", p).headers.get("ETag")))

    plain = [ask(mallory, method, path) for path in paths]
    tagged = [ask(mallory, method, path, **{"If-None-Match": tags}) for path in paths]

    assert 304 not in {answer.status_code for answer in tagged}
    assert [facts(a) for a in plain] == [facts(a) for a in tagged]


def test_a_key_of_alices_is_free_for_mallory(alice: Shop, mallory: Shop, known: Known) -> None:
    answer = mallory.post(order(3), {"Idempotency-Key": KEY})

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert [job["id"] for job in mallory.jobs()] == [answer.get_json()["job"]["id"]]
    assert mallory.balance() == 1234 - 45
    assert len(alice.jobs()) == 4


def forged(settings: Settings, shop: Shop, secret: str, job_id: object) -> str:
    """A cursor as the API makes them, with this secret."""
    return str(
        URLSafeSerializer(
            secret,
            salt=f"jobs of instance {shop.id}",
            signer_kwargs={"digest_method": "sha256", "key_derivation": "hmac"},
        ).dumps(job_id)
    )


def test_cursors_of_alices_and_guessed_ones_are_refused_alike(
    settings: Settings, alice: Shop, mallory: Shop, known: Known
) -> None:
    hers = ask(alice, "GET", f"{JOBS}?limit=1").get_json()["nextCursor"]
    payload, signature = hers.split(".")
    other = base64.urlsafe_b64encode(b"9").decode().rstrip("=")
    mine = ask_for_cursor(mallory)
    guessed = [
        hers,
        f"{other}.{signature}",
        f"{payload}.{mine.split('.')[1]}",
        f"{other}.{mine.split('.')[1]}",
        payload,
        "1",
        "nonsense",
        *known.hers["id"],
    ]

    answers = [ask(mallory, "GET", f"{JOBS}?cursor={cursor}") for cursor in guessed]

    assert {answer.status_code for answer in answers} == {400}
    assert len({repr(facts(answer)) for answer in answers}) == 1
    assert "cursor" in answers[0].get_json()["errors"]


def ask_for_cursor(shop: Shop) -> str:
    """A cursor of its own."""
    for _ in range(2):
        shop.post(order(images=[image(0)]))
    return str(ask(shop, "GET", f"{JOBS}?limit=1").get_json()["nextCursor"])


def test_mallory_sees_her_own_jobs_only(alice: Shop, mallory: Shop, known: Known) -> None:
    cursor = ask_for_cursor(mallory)

    first = ask(mallory, "GET", f"{JOBS}?limit=1").get_json()["jobs"]
    rest = ask(mallory, "GET", f"{JOBS}?limit=100&cursor={cursor}").get_json()

    assert len(first + rest["jobs"]) == 2
    assert rest["nextCursor"] is None


def test_a_token_opens_nothing_in_another_place(alice: Shop, mallory: Shop, known: Known) -> None:
    """In the query, in a cookie, or as somebody's name: only the one header counts."""
    client = alice.client()
    tries = [
        client.get(f"{JOBS}?token={alice.token}"),
        client.get(f"{JOBS}?access_token={alice.token}"),
        client.get(JOBS, headers={"Cookie": f"token={alice.token}"}),
        client.get(JOBS, headers={"X-Api-Key": alice.token}),
        client.get(JOBS, headers={"Authorization": f"Bearer {alice.token}, {mallory.token}"}),
        client.get(JOBS, headers={"Authorization": f"Bearer {alice.token[:-1]}"}),
        client.get(JOBS, headers={"Authorization": f"Bearer {alice.token}="}),
        client.get(JOBS, headers={"Authorization": f"Bearer {alice.token.swapcase()}"}),
    ]

    assert {answer.status_code for answer in tries} == {401}


def test_nobody_is_somebody_else_by_a_header(alice: Shop, mallory: Shop, known: Known) -> None:
    posing = {
        "X-Instance": str(alice.id),
        "X-Forwarded-User": "alice",
        "X-Original-URL": f"/api/image-optimization/jobs/{known.hers['id'][0]}",
        "X-HTTP-Method-Override": "DELETE",
        "X-Forwarded-Host": "evil.example",
    }

    answer = ask(mallory, "GET", JOBS, **posing)

    assert (answer.status_code, answer.get_json()) == (200, {"jobs": [], "nextCursor": None})


@pytest.mark.parametrize("withdraw", [accounts.disable, accounts.rotate_token])
def test_a_withdrawn_token_opens_nothing_from_the_next_request_on(
    app: Flask, mallory: Shop, withdraw: Callable[[str], object]
) -> None:
    tag = ask(mallory, "GET", JOBS).headers["ETag"]
    mallory.post(order(), {"Idempotency-Key": "mine"})
    with app.app_context():
        withdraw("mallory")

    again = [
        ask(mallory, "GET", JOBS),
        ask(mallory, "GET", JOBS, **{"If-None-Match": tag}),
        mallory.post(order()),
        mallory.post(order(), {"Idempotency-Key": "mine"}),
    ]

    assert {answer.status_code for answer in again} == {401}


NASTY = [
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "..%252f..%252fetc%252fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "....//....//etc/passwd", "..\\..\\etc\\passwd",
    "..%5c..%5cetc%5cpasswd", "%c0%ae%c0%ae/etc/passwd", "/etc/passwd", "//etc/passwd",
    "%2fetc%2fpasswd", "file:///etc/passwd", ".", "..", "%2e", "%2e%2e", "~/.ssh/id_rsa", "*",
    "?", "%3f", "%00", "{0}.jpg%00", "{0}.jpg%00.png", "{0}.jpg/", "{0}.jpg/..", "{0}.jpg/.",
    "{0}.jpg/../{0}.jpg", "./{0}.jpg", "%2e/{0}.jpg", "{0}.jpg%20", "%20{0}.jpg", "{0}.jpg%0a",
    "{0}.jpg%0d%0aSet-Cookie:a=b", "{0}.JPG", "{0}.jpg.jpg", "{0}.jp", "{0}.svg", "{0}.html",
    "{0}", "{0}.", "A{0}.jpg", "{0}a.jpg", "\uff0e\uff0e/{0}.jpg", "{0}\uff0ejpg", "con", "nul.jpg",
    "\u0661" * 32 + ".jpg", "g" * 32 + ".jpg", "a" * 31 + ".jpg", "a" * 5000 + ".jpg",
]  # fmt: skip


@pytest.mark.parametrize("key", NASTY)
def test_no_key_names_a_file_elsewhere(app: Flask, settings: Settings, key: str) -> None:
    answer = app.test_client().get(f"/results/{key.replace('{0}', 'a' * 32)}", buffered=True)

    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (404, "not_found")
    assert "root:" not in answer.text
    assert "Set-Cookie" not in answer.headers
