"""The places of what waits are the order in which it is then claimed, on both databases."""

from collections.abc import Sequence

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from models import accounts, lifecycle, places
from models.clock import now
from models.database import db
from models.places import Crowd, positions
from models.tables import Instance, Item
from tests.service import wait_until
from tests.shop import DEADLINE, open_shop, submit

SHOPS = 4
which = st.integers(0, SHOPS - 1)
# What happens before anybody asks: an order of so many images, a claim, or one that fails and
# lets its image rest or wait again at once.
STEPS = st.lists(
    st.one_of(
        st.tuples(which, st.integers(1, 6)),
        st.sampled_from(["claim", "rest", "wait again"]),
    ),
    min_size=3,
    max_size=25,
)


def claim() -> tuple[int, int] | None:
    """Claim an item; return it and its attempt. SQLite's clock has milliseconds: two claims within
    one would leave no trace of which of them came first."""
    turn = lifecycle.claim_next(DEADLINE)
    wait_until(_the_clock_has_moved_on, "the next millisecond", every=0.0005)
    return (turn.item_id, turn.attempt_id) if turn else None


def _the_clock_has_moved_on() -> bool:
    latest = select(func.coalesce(func.max(Instance.last_served) < now(), True))
    moved_on = bool(db.session.scalar(latest))
    db.session.rollback()
    return moved_on


def carry_out(step: tuple[int, int] | str, shops: Sequence[int], number: int) -> None:
    if isinstance(step, tuple):
        submit(shops[step[0]], step[1], product=f"cup-{number}")
        return
    claimed = claim()
    if claimed and step != "claim":
        lifecycle.requeue(claimed[1], "tested", backoff=600.0 if step == "rest" else 0.0)


def told(shops: Sequence[int]) -> dict[int, int]:
    """The position of every image of theirs that has one."""
    everything = {shop: _jobs(shop) for shop in shops}
    return {
        each.item_id: each.position
        for shop, jobs in everything.items()
        for each in places.waiting(shop, jobs)
    }


def _jobs(shop: int) -> list[int]:
    found = db.session.scalars(select(Item.job_id).where(Item.instance_id == shop).distinct())
    jobs = list(found)
    db.session.rollback()
    return jobs


def claim_all() -> dict[int, int]:
    """Claim until nothing is due; return how many images went until each one did, it included."""
    order: dict[int, int] = {}
    while claimed := claim():
        order[claimed[0]] = len(order) + 1
    return order


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, disabled=st.one_of(st.none(), which))
def test_images_are_claimed_in_the_order_of_their_places(
    in_database: Flask, steps: list[tuple[int, int] | str], disabled: int | None
) -> None:
    opened = db.session.scalar(select(func.count()).select_from(Instance))
    db.session.rollback()
    shops = [open_shop(f"shop-{opened}-{n}", credits=100_000) for n in range(SHOPS)]
    for number, step in enumerate(steps):
        carry_out(step, shops, number)
    if disabled is not None:
        accounts.disable(f"shop-{opened}-{disabled}")
        shops.pop(disabled)

    expected = told(shops)

    assert claim_all() == expected


@given(
    others=st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=12),
    depth=st.integers(1, 9),
)
def test_counting_the_others_gives_what_standing_in_line_does(
    others: list[tuple[bool, int]], depth: int
) -> None:
    crowds = [Crowd(ahead, due, 1) for ahead, due in others]

    counted = positions(crowds, depth)

    assert counted == list(stand_in_line(others, depth))


def stand_in_line(others: list[tuple[bool, int]], depth: int) -> list[int]:
    """Go round by round, and write down when it is one's own turn."""
    turns: list[int] = []
    served = 0
    for number in range(1, depth + 1):
        served += sum(ahead and due >= number for ahead, due in others)
        served += 1
        turns.append(served)
        served += sum(not ahead and due >= number for ahead, due in others)
    return turns


def test_images_that_rest_have_no_place(in_database: Flask) -> None:
    alice = open_shop("alice")
    job_id = submit(alice, images=2).job.id
    first = claim()
    assert first

    lifecycle.requeue(first[1], "tested", backoff=600.0)

    assert [(each.rank, each.position) for each in places.waiting(alice, [job_id])] == [(1, 1)]
    assert first[0] not in told([alice])


def test_nobody_is_told_of_anothers_jobs(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    job_id = submit(alice, images=2).job.id

    assert places.waiting(bob, [job_id]) == []
