"""Replicate as one test writes it, around which everything else of the gear is real."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, update

from models import lifecycle
from models.clock import from_now
from models.database import db
from models.orders import Turn
from models.tables import Attempt, Item
from tasks.gear import Gear, build_gear
from tasks.prediction import ModelInput, Prediction
from tasks.provider_errors import ProviderError, ResultGone
from tasks.replicate import Replicate
from tests.databases import bound, check_promises, settings_for
from tests.shop import order

# Nobody listens there: to ask it would end in a fault.
NOWHERE = "http://127.0.0.1:1"


class Outside(Replicate):
    """The predictions that a test says there are. `meanwhile` happens once, as it is asked."""

    def __init__(self) -> None:
        self.predictions: dict[str, Prediction] = {}
        self.canceled: list[str] = []
        self.meanwhile: Callable[[], object] = int

    def made(self, id: str, status: str = "succeeded", **facts: object) -> None:
        """Show a prediction, newer than the others; by default with the input of the first image
        of an order."""
        image = order().images[0]
        known = ModelInput(image.prompt, (image.image_url,)).as_json()
        shown = Prediction(id, status, None, None, known, datetime.now(UTC), None, False)
        self.predictions[id] = replace(shown, **facts)  # type: ignore[arg-type]

    def get_prediction(self, id: str) -> Prediction:
        """The prediction as the test wrote it."""
        self._let_happen()
        if id not in self.predictions:
            raise ResultGone("nobody knows it")
        return self.predictions[id]

    def cancel_prediction(self, id: str) -> Prediction:
        """End it, unless it has ended."""
        self.canceled.append(id)
        prediction = self.get_prediction(id)
        if not prediction.finished:
            self.predictions[id] = replace(prediction, status="canceled")
        return self.predictions[id]

    def list_predictions(
        self,
        created_after: datetime | str,
        max_pages: int = 50,
    ) -> Iterator[Prediction]:
        """All of them, the newest first."""
        self._let_happen()
        yield from reversed(list(self.predictions.values()))

    def _let_happen(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, int
        meanwhile()


class Sending(Outside):
    """A Replicate where creates come, too; `fault` is what they end with, if it is set."""

    fault: ProviderError | None = None

    def create_image_optimization_prediction(
        self,
        input: ModelInput,  # noqa: A002
        webhook: str | None = None,
        **_options: object,
    ) -> Prediction:
        """Accept it, once what happens meanwhile has happened."""
        self._let_happen()
        if self.fault:
            raise self.fault
        self.made("p1", "processing", input=input.as_json())
        return self.predictions["p1"]


@contextmanager
def gear_around(
    outside: Outside, database_url: str, redis_url: str, folder: Path, **settings: object
) -> Iterator[Gear]:
    """The gear of a process whose Replicate is that one; afterwards the promises are checked."""
    facts: dict[str, object] = {
        "redis_url": redis_url,
        "storage_url": f"file://{folder}/results",
        "replicate_base_url": NOWHERE,
    }
    with bound(database_url) as app:
        gear = build_gear(settings_for(database_url, **(facts | settings)), app)
        gear.replicate.close()
        yield replace(gear, replicate=outside, stopping=threading.Event())
        with app.app_context():
            check_promises()
        gear.downloader.close()
        gear.courier.close()
        gear.redis.close()


def claim_and_vanish(gear: Gear, ago: float = 60.0, deadline: float = 1.0) -> Turn:
    """Claim an item `ago` seconds ago and never be heard of again."""
    with gear.database():
        turn = lifecycle.claim_next(0.0)
        assert turn
        times = {
            "created_at": from_now(-ago),
            "lease_until": from_now(-ago),
            "deadline_at": from_now(deadline - ago),
        }
        db.session.execute(update(Attempt).where(Attempt.id == turn.attempt_id).values(**times))
        db.session.commit()
    return turn


def item_of(gear: Gear, turn: Turn) -> Item:
    """The item whose turn it was, as it is now."""
    with gear.database():
        return db.session.scalars(select(Item).where(Item.id == turn.item_id)).one()


def attempt_of(gear: Gear, turn: Turn) -> Attempt:
    """The attempt of that turn, as it is now."""
    with gear.database():
        return db.session.scalars(select(Attempt).where(Attempt.id == turn.attempt_id)).one()
