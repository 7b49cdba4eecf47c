"""Worlds of jobs with every end there is: whatever breaks a retention off, the next one leaves
nothing old in the rows, has deleted nothing young, and has forgotten no file."""

from dataclasses import dataclass
from itertools import islice
from random import Random

import pytest
from sqlalchemy import select

from models import lifecycle, retention
from models.tables import Item, Job
from tasks.gear import Gear
from tasks.retention import Broom, old
from tests.databases import check_promises
from tests.old_jobs import (
    MONTH,
    PICTURE,
    finish_all,
    ids,
    litter,
    make_old,
    read,
    reuse,
    stem,
)
from tests.shop import DEADLINE, open_shop, submit

JOBS = 14


@dataclass
class World:
    """Two shops, and what may become of their orders."""

    gear: Gear
    dice: Random

    def play(self) -> None:
        """Order, and let what waits end in one way or another, or wait on."""
        shops = [open_shop("alice"), open_shop("bob")]
        ends = (self.make, self.reuse, self.overtake, lifecycle.cancel_waiting, int)
        for number in range(JOBS):
            shop = self.dice.choice(shops)
            submit(shop, self.dice.randint(1, 3), product=f"cup-{number}")
            self.dice.choice(ends)(shop)

    def make(self, _shop: int) -> None:
        """All that waits is made."""
        finish_all(self.gear.storage)

    def overtake(self, _shop: int) -> None:
        """A result was stored for each, but by a follower that came too late."""
        while turn := lifecycle.claim_next(DEADLINE):
            lifecycle.note(turn.attempt_id, f"vain-{turn.attempt_id}", 1.0)
            self.gear.storage.put(f"{stem(turn.attempt_id)}.webp", PICTURE, "image/webp")
            lifecycle.fail(turn.attempt_id, "timed_out", refund=True)

    def reuse(self, shop: int) -> None:
        """One more is ordered, and an earlier result of the shop serves, if there is one."""
        own = select(Item.result_key).where(Item.instance_id == shop)
        made = own.where(Item.result_key.is_not(None), Item.stored_key.is_(None))
        if earlier := read(made.order_by(Item.id)):
            reuse(shop, self.dice.choice(earlier)[0])

    def let_some_grow_old(self) -> set[int]:
        """Of the jobs that have ended; return which."""
        ended = read(select(Job.id).where(Job.finished_at.is_not(None)))
        some = {job_id for (job_id,) in ended if self.dice.random() < 0.6}
        make_old(*some)
        return some

    def break_off(self, broom: Broom) -> None:
        """Die after some pages, then between a page's rows and its files."""
        pages = old(broom, MONTH)
        list(islice(pages, self.dice.randint(0, 1)))
        if shop := retention.next_instance(MONTH):
            retention.delete_old_jobs(shop, MONTH, 2)


@pytest.mark.parametrize("seed", range(3))
def test_no_file_and_no_row_is_forgotten(gear: Gear, seed: int) -> None:
    world = World(gear, Random(seed))
    broom = Broom(gear.storage, gear.database, jobs=2)
    with gear.database():
        world.play()
        aged = world.let_some_grow_old()
        everything = set(ids(Job.id))

        for _ in range(2):
            world.break_off(broom)
            check_promises()
            assert litter(gear.storage) == []
        list(old(broom, MONTH))

        assert set(ids(Job.id)) == everything - aged
        assert litter(gear.storage) == []
