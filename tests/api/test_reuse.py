"""Results that are given again: of the same upload, prompt and options, and of nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from api import current
from config.offers import Offer
from config.settings import Settings
from models import lifecycle
from models.clock import from_now
from models.database import db
from models.tables import Item
from tests.api.clients import JOBS, ROUTE, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.api.test_retry import work_off
from tests.api.uploading import send
from tests.databases import settings_for
from tests.pictures import file_of, painted
from tests.shop import DEADLINE

PRO = "google/nano-banana-pro"
OFFERS = (Offer("google/nano-banana", None, 15), Offer(PRO, "1K", 60), Offer(PRO, "2K", 60))
MONTH = 30 * 86_400.0


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The API on each kind of database, with a storage."""
    with serving(settings_for(database_url, storage_url=f"file://{tmp_path}/results")) as app:
        yield app


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, replicate_models=OFFERS)


def upload(shop: Shop, name: str = "cup.jpg", kind: str = "JPEG") -> str:
    """Upload the one picture that there is of a kind; return its address, which is a new one."""
    url: str = send(shop, file_of(painted(), kind), name).get_json()["imageUrl"]
    return url


def of(url: str, /, **changes: Any) -> dict[str, Any]:
    """An order of one image of that upload."""
    return order(images=[image(0, imageUrl=url, **changes)])


def charged(shop: Shop, body: dict[str, Any]) -> int:
    answer = shop.post(body)
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["creditsUsed"])


def keep_result(app: Flask, item_id: int, data: bytes) -> None:
    """Store what `work_off` says was made for an item."""
    with app.app_context():
        current.parts().storage.put(f"{item_id:032}.jpg", data, "image/jpeg")


def age(app: Flask, seconds: float) -> None:
    """Shift time: everything was changed so many seconds earlier."""
    with app.app_context():
        db.session.execute(update(Item).values(updated_at=from_now(-seconds)))
        db.session.commit()


def test_the_same_picture_with_the_same_wish_is_there_at_once_and_for_free(
    either: Flask,
) -> None:
    alice = open_shop(either, "alice", credits=100)
    alice.post(of(upload(alice)))
    keep_result(either, 1, b"a result")
    work_off(either, "done")
    # Under another name, and another address.
    again = upload(alice, "copy of cup.jpg")

    receipt = alice.post(of(again)).get_json()

    assert (receipt["creditsUsed"], receipt["creditsRemaining"]) == (0, 85)
    assert (receipt["job"]["status"], receipt["job"]["completedImages"]) == ("DONE", 1)
    shown = alice.get(f"{JOBS}/2").get_json()
    (item,) = shown["items"]
    assert (item["status"], item["reused"], item["creditsCharged"]) == ("DONE", True, 0)
    assert "finishedAt" in shown["job"]
    (first,) = alice.get(f"{JOBS}/1").get_json()["items"]
    assert "reused" not in first
    urls = (first["optimizedImageUrl"], item["optimizedImageUrl"])
    assert len(set(urls)) == 2
    for url in (*urls, f"{urls[1]}?download=true"):
        assert alice.client().get(url, buffered=True).data == b"a result"
    with either.app_context():
        assert lifecycle.claim_next(DEADLINE) is None
    refused = alice.act(f"{JOBS}/2/cancel").get_json()
    assert refused["code"] == "already_finished"
    assert alice.balance() == 85


def test_part_of_a_job_and_of_a_batch_may_be_there_already(either: Flask) -> None:
    alice = open_shop(either, "alice", credits=100)
    url = upload(alice)
    alice.post(of(url))
    work_off(either, "done")
    both = [image(0, imageUrl=url), image(1)]
    jobs = [order(images=both), of(url), of(url) | {"reuse": False}]

    answer = alice.client().post(f"{ROUTE}/batch", json={"jobs": jobs}, headers=alice.bearer)

    body = answer.get_json()
    assert [job["status"] for job in body["jobs"]] == ["PENDING", "DONE", "PENDING"]
    assert [job["completedImages"] for job in body["jobs"]] == [1, 1, 0]
    assert body["creditsUsed"] == 30
    work_off(either, "done", "done")
    batch = alice.get(f"{ROUTE}/batches/1").get_json()["batch"]
    assert (batch["status"], batch["completedImages"]) == ("DONE", 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "darker"},
        {"aspectRatio": "1:1"},
        {"outputFormat": "png"},
        {"quality": 80},
        {"model": PRO},
        {"model": PRO, "resolution": "2K"},
    ],
    ids="+".join,
)
def test_every_option_is_a_reason_to_make_it_anew(
    app: Flask, alice: Shop, changes: dict[str, Any]
) -> None:
    url = upload(alice)
    alice.post(of(url))
    if "resolution" in changes:
        alice.post(of(url, model=PRO))
    work_off(app, *["done"] * len(alice.jobs()))

    first, second = charged(alice, of(url, **changes)), charged(alice, of(url))

    assert first > 0
    assert second == 0
    work_off(app, "done")
    assert charged(alice, of(url, **changes)) == 0


def test_each_reference_counts_and_all_of_them_must_be_uploads(app: Flask, alice: Shop) -> None:
    url, style = upload(alice), upload(alice, "style.png", "PNG")
    elsewhere = "https://shop.example/style.jpg"
    orders = [of(url, referenceImageUrls=some) for some in ([style], [style, url], [elsewhere])]
    for each in orders:
        assert charged(alice, each) == 15
    work_off(app, "done", "done", "done")

    again = [charged(alice, each) for each in orders]

    assert again == [0, 0, 15]
    assert charged(alice, of(style, referenceImageUrls=[url])) == 15


def test_what_is_behind_another_address_is_made_anew(app: Flask, alice: Shop) -> None:
    alice.post(order(1))
    work_off(app, "done")

    assert charged(alice, order(1)) == 15


def test_another_instance_never_gets_it(either: Flask) -> None:
    alice, bob = open_shop(either, "alice"), open_shop(either, "bob")
    alice.post(of(upload(alice)))
    work_off(either, "done")

    assert charged(bob, of(upload(bob))) == 15


def test_only_what_was_made_in_time_is_given_and_giving_it_makes_it_no_younger(
    either: Flask,
) -> None:
    alice = open_shop(either, "alice")
    url = upload(alice)
    alice.post(of(url))
    work_off(either, "done")
    age(either, MONTH - 60)
    assert charged(alice, of(url)) == 0
    with either.app_context():
        first = update(Item).where(Item.id == 1)
        db.session.execute(first.values(updated_at=from_now(-MONTH - 1)))
        db.session.commit()

    assert charged(alice, of(url)) == 15


def test_nobody_waits_for_a_twin_that_is_still_being_made(app: Flask, alice: Shop) -> None:
    url = upload(alice)
    twins = order(images=[image(0, imageUrl=url), image(1, imageUrl=url)])

    assert charged(alice, twins) == 30
    assert charged(alice, of(url)) == 15
    work_off(app, "model_busy", "done")
    assert charged(alice, of(url)) == 0


def test_a_retry_makes_anew_and_is_found_later(app: Flask, alice: Shop) -> None:
    url = upload(alice)
    alice.post(of(url))
    alice.post(of(url))
    work_off(app, "model_busy", "done")

    retried = alice.act(f"{JOBS}/1/retry").get_json()

    assert retried["creditsUsed"] == 15
    age(app, MONTH + 1)
    work_off(app, "done")
    assert charged(alice, of(url)) == 0


def test_the_setting_switches_it_off(settings: Settings) -> None:
    with serving(replace(settings, reuse_results_for=0.0)) as app:
        alice = open_shop(app, "alice")
        url = upload(alice)
        alice.post(of(url))
        work_off(app, "done")

        assert charged(alice, of(url)) == 15


def test_apps_hear_of_an_image_and_of_a_job_that_are_there_at_once(app: Flask, alice: Shop) -> None:
    url = upload(alice)
    alice.post(of(url))
    work_off(app, "done")
    endpoint = {"url": "https://app.example/hook"}
    made = alice.client().post("/api/webhook-endpoints", json=endpoint, headers=alice.bearer)
    assert made.status_code == 201, made.text

    alice.post(of(url))

    told = alice.get("/api/webhook-deliveries").get_json()["deliveries"]
    assert sorted((each["event"], each["jobId"]) for each in told) == [
        ("item.completed", 2),
        ("job.completed", 2),
    ]
