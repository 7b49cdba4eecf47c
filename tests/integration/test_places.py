"""The places of what waits are the order in which it is then claimed, on both databases."""

from collections.abc import Sequence

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from models import accounts, caps, ledger, lifecycle, places
from models.clock import now
from models.database import db
from models.places import Crowd, Turns, positions
from models.tables import Instance, Item
from tests.properties.rows import empty
from tests.service import wait_until
from tests.shop import DEADLINE, open_shop, submit

SHOPS = 4
PLANS = ("free", "basic", "pro", "enterprise")
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


def told(shops: Sequence[int]) -> dict[int, int | None]:
    """The position of every image of theirs that is due."""
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
@given(
    steps=STEPS,
    disabled=st.one_of(st.none(), which),
    plans=st.lists(st.sampled_from(PLANS), min_size=SHOPS, max_size=SHOPS),
    capped=st.one_of(st.none(), st.tuples(which, st.integers(1, 5))),
)
def test_images_are_claimed_in_the_order_of_their_places(
    in_database: Flask,
    steps: list[tuple[int, int] | str],
    disabled: int | None,
    plans: list[str],
    capped: tuple[int, int] | None,
) -> None:
    """To the letter while nobody is capped; else no later, for every image that has a place."""
    # What a cap kept back would stand in the line of the next example.
    empty()
    names = [f"shop-{n}" for n in range(SHOPS)]
    shops = [open_on(plan, name) for plan, name in zip(plans, names, strict=True)]
    if capped is not None:
        caps.set_caps(names[capped[0]], running=capped[1], waiting=None)
    for number, step in enumerate(steps):
        carry_out(step, shops, number)
    if disabled is not None:
        accounts.disable(names[disabled])
        shops.pop(disabled)

    expected = told(shops)
    claimed = claim_all()

    assert claimed.keys() == {item for item, place in expected.items() if place}
    assert all(claimed[item] <= place for item, place in expected.items() if place)
    assert capped or claimed == expected


def open_on(plan: str, name: str) -> int:
    """Open a shop with plenty of credits on a plan."""
    instance, _token = accounts.create(name, plan)
    ledger.grant(instance.id, 100_000, f"test:{name}")
    return instance.id


turns = st.integers(1, 4).flatmap(lambda n: st.builds(Turns, st.integers(1, n), st.just(n)))


@given(
    others=st.lists(st.builds(Crowd, st.booleans(), st.integers(1, 9), st.just(1), turns)),
    depth=st.integers(1, 12),
    own=turns,
)
def test_counting_the_others_gives_what_standing_in_line_does(
    others: list[Crowd], depth: int, own: Turns
) -> None:
    assert positions(others, depth, own) == stand_in_line(others, depth, own)


def stand_in_line(others: list[Crowd], depth: int, own: Turns) -> list[int]:
    """Serve one after the other from the front of a line, to whose end each then goes."""
    me = Crowd(False, depth, 1, own)
    ahead = [each for each in others if each.ahead]
    line = [*ahead, me, *(each for each in others if not each.ahead)]
    left = [(each is me, each.depth, each.turns.first, each.turns.weight) for each in line]
    sent, mine = 0, list[int]()
    while len(mine) < depth:
        is_me, due, turn, weight = left.pop(0)
        images = min(due, turn)
        mine += range(sent + 1, sent + images + 1) if is_me else ()
        sent += images
        if due > images:
            left.append((is_me, due - images, weight, weight))
    return mine


def test_a_capped_shop_is_told_only_of_what_it_may_have_running(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    job_id = submit(alice, images=4).job.id
    submit(bob, images=4)
    caps.set_caps("alice", running=2, waiting=None)
    before = [each.position for each in places.waiting(alice, [job_id])]

    claim()
    claim()

    assert before == [1, 2, None, None]
    assert [(each.rank, each.position) for each in places.waiting(alice, [job_id])] == [
        (1, None),
        (2, None),
    ]


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
