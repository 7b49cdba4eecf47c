"""What was chosen for an image is what is sent, found again, and kept, on both databases."""

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from models import lifecycle
from models.database import db
from models.orders import ImageOrder, JobOrder, Turn
from models.tables import Attempt, Item, Status
from tasks.collect import collect
from tasks.gear import Gear, build_gear
from tasks.optimize import optimize_next
from tasks.prediction import ModelInput
from tasks.reconcile import reconcile
from tests.databases import bound, check_promises, settings_for
from tests.outside import Outside, attempt_of, claim_and_vanish
from tests.service import wait_until
from tests.shop import PRICE, open_shop
from tests.stand_in import StandIn

CUP, STYLE = "https://shop.example/cup.jpg", "https://shop.example/style.jpg"
PLAIN, PRO, TWO = "google/nano-banana", "google/nano-banana-pro", "google/nano-banana-2"


def ordered(gear: Gear, *images: ImageOrder) -> None:
    """Submit a job of these images of a new shop."""
    with gear.database():
        lifecycle.submit(open_shop("alice"), JobOrder("cup", "The cup", images), PRICE)


def cup(number: int = 0, **options: object) -> ImageOrder:
    """An image that differs from another one by its options alone."""
    return ImageOrder(f"cup-{number}", CUP, "brighter", **options)  # type: ignore[arg-type]


def input_of(turn: Turn) -> dict[str, object]:
    return ModelInput.of(turn).as_json()


def was_sent(gear: Gear, turn: Turn, urls: list[str]) -> None:
    """The attempt's create held other addresses than the item's own."""
    with gear.database():
        written = update(Attempt).where(Attempt.id == turn.attempt_id).values(sent_urls=urls)
        db.session.execute(written)
        db.session.commit()


def owner(gear: Gear, turns: list[Turn], prediction: str) -> list[int]:
    """Which of the turns have this prediction."""
    having = [attempt_of(gear, turn).prediction_id == prediction for turn in turns]
    return [number for number, has in enumerate(having) if has]


def test_a_doubtful_create_adopts_no_prediction_of_another_model_or_reference(
    gear: Gear, outside: Outside
) -> None:
    ordered(
        gear,
        cup(0),
        cup(1, model=PRO, resolution="2K"),
        cup(2, model=TWO, resolution="2K"),
        cup(3, reference_urls=(STYLE,)),
    )
    turns = [claim_and_vanish(gear, deadline=600.0) for _ in range(4)]
    for number in (3, 2, 1, 0):
        wish = turns[number]
        outside.made(f"p{number}", "processing", model=wish.model, input=input_of(wish))
    outside.made("foreign", "processing", model="google/other", input=input_of(turns[0]))

    reconcile(gear)

    assert [owner(gear, turns, f"p{n}") for n in range(4)] == [[0], [1], [2], [3]]
    assert owner(gear, turns, "foreign") == []


def test_a_list_that_tells_no_models_is_matched_by_the_input(gear: Gear, outside: Outside) -> None:
    ordered(gear, cup(model=PRO, resolution="2K", reference_urls=(STYLE,)))
    turn = claim_and_vanish(gear)
    outside.made("p1", "processing", input=input_of(turn))

    reconcile(gear)

    assert attempt_of(gear, turn).prediction_id == "p1"


def test_addresses_that_were_sent_instead_are_those_that_are_looked_for(
    gear: Gear, outside: Outside
) -> None:
    ordered(gear, cup(reference_urls=(STYLE,)))
    turn = claim_and_vanish(gear)
    sent = ["https://bucket.example/a?signed", "https://bucket.example/b?signed"]
    was_sent(gear, turn, sent)
    outside.made("own", "processing", input=input_of(turn))
    outside.made("sent", "processing", input=input_of(turn) | {"image_input": sent})

    reconcile(gear)

    assert attempt_of(gear, turn).prediction_id == "sent"


def test_a_prediction_that_comes_too_late_is_given_only_to_a_true_twin(gear: Gear) -> None:
    """Its quality is not the model's affair."""
    twin = {"model": PRO, "resolution": "2K", "reference_urls": (STYLE,)}
    ordered(
        gear,
        cup(0, **twin),
        cup(1, **twin | {"resolution": "4K"}),
        cup(2, **twin | {"model": TWO}),
        cup(3, **twin | {"reference_urls": ()}),
        cup(4, **twin),
        cup(5, **twin, quality=80),
    )
    late, *others = [claim_and_vanish(gear) for _ in range(6)]
    was_sent(gear, others[3], ["https://bucket.example/a?signed", STYLE])

    with gear.database():
        lifecycle.fail(late.attempt_id, "timed_out", refund=True)
        wanted = lifecycle.note(late.attempt_id, "p1", check_in=0)

    assert wanted
    assert owner(gear, others, "p1") == [4]


@pytest.fixture
def whole_gear(
    sqlite_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Gear]:
    """The gear of a worker, with the stand-in that makes real pictures."""
    stand_in.knobs(canned_result=False)
    settings = settings_for(
        sqlite_database,
        redis_url=redis_url,
        replicate_base_url=stand_in.url,
        replicate_min_spacing=0.0,
        poll_interval=0.1,
        storage_url=f"file://{tmp_path}/results",
    )
    with bound(sqlite_database) as app:
        gear = replace(build_gear(settings, app), stopping=threading.Event())
        yield gear
        with app.app_context():
            check_promises()
        gear.replicate.close()
        gear.downloader.close()
        gear.redis.close()


def made(gear: Gear, attempt_id: int) -> Item:
    """Follow a prediction to its end; return its item."""
    with gear.database():
        attempt = db.session.get_one(Attempt, attempt_id)
        item_id = attempt.item_id
        db.session.rollback()

    def final() -> bool:
        with gear.database():
            number = db.session.get_one(Attempt, attempt_id).checks + 1
            db.session.rollback()
        collect(gear, attempt_id, number)
        with gear.database():
            return db.session.get_one(Item, item_id).status not in {Status.RUNNING, Status.PENDING}

    wait_until(final, f"attempt {attempt_id} is settled", every=0.1)
    with gear.database():
        return db.session.get_one(Item, item_id)


def test_models_references_and_quality_show_in_the_results(
    whole_gear: Gear, stand_in: StandIn
) -> None:
    photo, style = (f"{stand_in.url}/shop/{view}.jpg" for view in ("cat/front", "coffee-cup/front"))
    whole = ImageOrder("0", photo, "brighter", model=TWO, resolution="1K", reference_urls=(style,))
    ordered(
        whole_gear,
        whole,
        replace(whole, image_id="1", resolution="2K", aspect_ratio="1:1"),
        replace(whole, image_id="2", quality=20),
        ImageOrder("3", photo, "brighter"),
    )

    for _ in range(4):
        assert "is prediction" in optimize_next(whole_gear)
    items = [made(whole_gear, attempt_id) for attempt_id in range(1, 5)]

    assert [item.status for item in items] == [Status.DONE] * 4
    files = [whole_gear.storage.get(str(item.result_key)) for item in items]
    sizes = [Image.open(io.BytesIO(file)).size for file in files]
    assert sizes[1] == (2048, 2048)
    assert abs(sizes[0][0] * sizes[0][1] / 1024**2 - 1) < 0.01
    assert sizes[2] == sizes[0]
    assert len(files[2]) < len(files[0]) / 2
    sent = {
        (str(each["input"].get("resolution")), len(each["input"]["image_input"]))
        for each in stand_in.creates()
    }
    assert sent == {("1K", 2), ("2K", 2), ("None", 1)}
    assert [each["model"] for each in stand_in.predictions()] == [PLAIN, TWO, TWO, TWO]
