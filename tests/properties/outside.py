"""The outside world: the predictions that creates have made, whoever heard of them."""

from dataclasses import dataclass

from tests.properties.reference import Reference
from tests.properties.things import Attempt


@dataclass
class Prediction:
    """`late`: made by a process that had been frozen until its attempt was given up."""

    id: str
    maker: Attempt
    status: str = "processing"
    late: bool = False

    @property
    def counts(self) -> bool:
        """It is alive or succeeded, and could have been avoided."""
        return self.status in {"processing", "succeeded"} and not self.late

    @property
    def input(self) -> str:
        return self.maker.item.url


class Outside:
    """What Replicate knows."""

    def __init__(self) -> None:
        self.predictions: dict[str, Prediction] = {}
        # The inputs of which a process that had been frozen may have made one too many.
        self.twice: set[str] = set()

    def create(self, maker: Attempt, late: bool = False) -> Prediction:
        """A create is accepted."""
        id = f"p{len(self.predictions) + 1}"
        self.predictions[id] = Prediction(id, maker, late=late)
        return self.predictions[id]

    def made_by(self, attempt: Attempt) -> list[Prediction]:
        return [each for each in self.predictions.values() if each.maker is attempt]

    def unclaimed(self, reference: Reference, url: str) -> list[Prediction]:
        """The predictions with that input that no attempt has yet."""
        same = [each for each in self.predictions.values() if each.input == url]
        return [each for each in same if not reference.owner(each.id)]

    def status_of(self, attempt: Attempt) -> str | None:
        """The status of the prediction that an attempt has."""
        return self.predictions[attempt.prediction].status if attempt.prediction else None

    def cancel(self, id: str) -> None:
        """What has ended stays as it is."""
        if self.predictions[id].status == "processing":
            self.predictions[id].status = "canceled"

    def _counting(self) -> list[Prediction]:
        every = self.predictions.values()
        return [each for each in every if each.counts and each.input not in self.twice]

    def check_no_image_is_made_twice(self, reference: Reference) -> None:
        """No more predictions of an input are alive or succeeded than items were claimed with it
        (identical inputs are interchangeable), and no item has two of them."""
        for url in {item.url for item in reference.items.values()} - self.twice:
            claimed = [i for i in reference.items.values() if i.url == url and i.holder]
            made = [p for p in self.predictions.values() if p.input == url and p.counts]
            assert len(made) <= len(claimed), f"{url} was made {len(made)} times"
        owners = [reference.owner(p.id) for p in self._counting()]
        items = [owner.item.id for owner in owners if owner]
        assert len(items) == len(set(items)), f"made twice, by item: {items}"
