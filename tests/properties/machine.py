"""What the machines are made of: the database and the reference beside it, compared after each
step."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition

from models import accounts, endpoints, following
from models.outgoing import EVENTS, WORDS
from models.tables import AttemptStatus
from tests.databases import check_promises
from tests.properties import rows
from tests.properties.outside import Outside, Prediction
from tests.properties.reference import Reference
from tests.properties.things import Attempt, Item, Job, Shop

R = TypeVar("R")
T = TypeVar("T")
Rule = TypeVar("Rule", bound=Callable[..., Any])

# The shops that are told what has ended.
LISTENING = {"alice": EVENTS, "bob": ("item.failed", "job.completed")}
# Which of those that there are: 0 is the newest, to which a failing example shrinks.
which = st.integers(0, 15)
# A move is made once, or again at once by a duplicate.
times = st.integers(1, 2)


def given_any(candidates: str) -> Callable[[Rule], Rule]:
    """A rule that needs one of what that method returns."""
    return precondition(lambda self: bool(getattr(self, candidates)()))


def pick(among: list[T], number: int) -> T:
    """One of them, counted from the newest."""
    return among[-1 - number % len(among)]


def same(times: int, real: Callable[[], R], expected: Callable[[], R]) -> None:
    """Make a move in the database and in the reference: both answer the same."""
    for _ in range(times):
        assert real() == expected()


class Machine(RuleBasedStateMachine):
    """Three shops on an empty database."""

    app: ClassVar[Flask]

    def __init__(self) -> None:
        super().__init__()
        self.context = self.app.app_context()
        self.context.push()
        rows.empty()
        self.reference, self.outside = Reference(), Outside()
        self.checked: dict[str, Any] = {}
        self.seen: dict[int, tuple[Any, int]] = {}

    def teardown(self) -> None:
        self.context.pop()

    def open_shops(self) -> None:
        for name in ("alice", "bob", "charlie"):
            instance, _token = accounts.create(name, "free")
            self.reference.open(instance.id, name)
            if name in LISTENING:
                endpoints.create(instance.id, "https://shop.example/hooks", LISTENING[name])

    def shop(self, number: int) -> Shop:
        return self.reference.shops[1 + number % len(self.reference.shops)]

    def due(self) -> list[Item]:
        """What could be claimed now."""
        active = [shop for shop in self.reference.shops.values() if not shop.disabled]
        return [item for shop in active for item in self.reference.due(shop)]

    def waiting(self) -> list[Item]:
        return [item for item in self.items() if item.waits]

    def items(self) -> list[Item]:
        return list(self.reference.items.values())

    def jobs(self) -> list[Job]:
        return list(self.reference.jobs.values())

    def resting(self) -> list[Item]:
        return [item for item in self.items() if item.waits and not item.due]

    def attempts(self, *statuses: AttemptStatus) -> list[Attempt]:
        every = self.reference.attempts.values()
        return [each for each in every if each.status in (statuses or AttemptStatus)]

    def creating(self) -> list[Attempt]:
        return self.attempts(AttemptStatus.CREATING)

    def predictions(self) -> list[Prediction]:
        return list(self.outside.predictions.values())

    @invariant()
    def promises_are_kept(self) -> None:
        self._check_rows()
        self.outside.check_no_image_is_made_twice(self.reference)
        self._check_what_is_told()
        self._check_versions()

    def _check_rows(self) -> None:
        found, expected = rows.tables(), self.reference.tables()
        for name, facts in expected.items():
            assert found[name] == facts, name
        if found != self.checked:  # Else the rows are those that kept the promises before.
            check_promises()
            assert rows.told() == sorted(self._ends())
            self.checked = found

    def _ends(self) -> Iterator[tuple[str, str, int, int]]:
        """What each shop is to be told, once: the images and jobs that are final."""
        for job in self.reference.jobs.values():
            wanted = LISTENING.get(job.shop.name, ())
            ended = [("item", each.status, each.id) for each in job.items] + [
                ("job", job.status, 0)
            ]
            for what, status, item in ended:
                if status in WORDS and f"{what}.{WORDS[status]}" in wanted:
                    yield job.shop.name, f"{what}.{WORDS[status]}", job.id, item

    def _check_what_is_told(self) -> None:
        disabled = [shop for shop in self.reference.shops.values() if shop.disabled]
        left = [shop.id for shop in disabled if self.reference.due(shop)]
        assert sorted(following.disabled_with_due_items(9)) == left
        assert following.due_items() == len(self.due())

    def _check_versions(self) -> None:
        """A job's version grows with whatever its shop sees of it: its ETag is made from it."""
        versions = rows.versions()
        for id, job in self.reference.jobs.items():
            items = [(item.status, item.code, item.result, item.unwanted) for item in job.items]
            facts = (items, self.reference.retried_by(job) is not None)
            before, version = self.seen.get(id, (facts, 0))
            assert versions[id] > version if facts != before else versions[id] >= version
            self.seen[id] = (facts, versions[id])
