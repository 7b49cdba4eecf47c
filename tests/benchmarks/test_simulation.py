"""What `benchmarks/simulation` computes: nothing is timed here."""

import inspect
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulation.day import clients, orders
from benchmarks.simulation.fairness import jain, windows
from benchmarks.simulation.noticing import Followers
from benchmarks.simulation.play import Play
from benchmarks.simulation.refill import refill
from benchmarks.simulation.slots import GRANT_AGE, Slots
from benchmarks.simulation.world import Client, Order, Outside, Service, Uniform
from config.forms import RateLimit
from tasks.limiter import Limiter, LimiterState
from tasks.schedule import Schedule
from tests.benchmarks.played import QUICK, each_orders, played
from tests.grants import most_in_window

NOW = 1_795_000_000.0


@given(
    waits=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60),
    count=st.integers(1, 8),
    window=st.floats(0.5, 5.0),
    spacing=st.floats(0.0, 0.5),
)
def test_no_window_holds_more_slots_than_the_limit(
    waits: list[float], count: int, window: float, spacing: float
) -> None:
    slots, grants, at = Slots(RateLimit(count, window), spacing), [], 0.0

    for wait in waits:
        at = max(at + wait, slots.free_from())
        slots.take(at)
        grants.append(at)

    assert most_in_window(grants, window + GRANT_AGE - 1e-6) <= count
    assert all(later - sooner >= spacing - 1e-6 for sooner, later in pairwise(grants))


@pytest.mark.parametrize(("count", "spacing"), [(50, 0.0), (5, 0.1), (3, 2.0)])
def test_slots_come_when_the_program_foretells_them(count: int, spacing: float) -> None:
    slots = Slots(RateLimit(count, 3.0), spacing)
    bound = slots.bound
    state = LimiterState(
        limit=count, window=3.0, spacing=spacing, slots_used_in_window=0, next_slot_in=0.0,
        paused_for=0.0, pause_reason="", seeded=True, now=NOW, grants=(),
        grant_window=bound.window, grant_spacing=bound.spacing,
    )  # fmt: skip
    foretold, taken = Schedule(state), []

    for _ in range(3 * count):
        taken.append(max(NOW, slots.free_from()))
        slots.take(taken[-1])

    assert taken == pytest.approx([foretold.slot(n + 1) for n in range(3 * count)])
    assert inspect.signature(Limiter).parameters["grant_age"].default == GRANT_AGE


def test_a_whole_day_keeps_the_limit_and_loses_nothing() -> None:
    shops = clients(40, 2_000)
    service = Service(RateLimit(5, 30.0), spacing=1.0)

    game = played(shops, ordered := orders(shops), service, fails_later=0.1)

    at = list(game.diary.claims.at)
    assert most_in_window(at, 30.0 + GRANT_AGE - 1e-6) <= 5
    assert len(at) == sum(order.images for order in ordered) + game.diary.retried
    assert game.diary.retried > 100


def test_who_waits_all_the_time_gets_the_same() -> None:
    game = played(*each_orders(200, "free", "free", "free", "free", "free"))

    seen = windows(game.diary, dict.fromkeys(game.shops, 1), 6.4)

    assert len(seen) == 9
    assert [window.index for window in seen] == pytest.approx([1.0] * 9, abs=1e-3)


def test_jains_index_is_one_nth_where_one_gets_everything() -> None:
    assert jain([3, 3, 3]) == 1
    assert jain([7, 0, 0, 0]) == pytest.approx(1 / 4)


def test_weights_of_four_to_one_give_four_to_one() -> None:
    game = played(*each_orders(400, "enterprise", "free"))

    first = Counter(list(game.diary.claims.shop)[:400])
    weights = {1: 4, 2: 1}

    assert first == {1: 320, 2: 80}
    assert windows(game.diary, weights, 6.4)[0].index == pytest.approx(1.0, abs=1e-3)
    assert windows(game.diary, {1: 1, 2: 1}, 6.4)[0].index < 0.8


@pytest.mark.parametrize("others", [1, 8])
def test_one_image_waits_for_a_round_at_most_beside_thousands(others: int) -> None:
    shops, ordered = each_orders(1000, *["free"] * others)
    small = Client(99)
    # The second one comes just when the first was served: the worst moment for it.
    singles = [Order(20.0 + n / 10, small.id, 1) for n in range(40)]
    service = Service(RateLimit(360, 30.0), spacing=0.083)

    game = played([*shops, small], [*ordered, *singles[::20], *singles[1::20]], service)

    a_round = (others + 1) / game.slots.rate
    window_end = game.slots.bound.window - 360 * 0.083 + 0.083
    assert max(game.diary.claims.waits(frozenset({99}))) <= a_round + window_end


def test_a_webhook_is_one_look_and_polls_come_in_growing_pauses() -> None:
    service = Service(RateLimit(1, 1.0), poll_interval=2.0)
    polling = Followers(Service(RateLimit(1, 1.0), webhooks=False), Outside(get=0.0))

    heard = Followers(service, Outside(webhook=0.1)).notice(8.0)
    seen = [polling.notice(ended) for ended in (1.0, 2.1, 5.1, 60.0)]

    assert (heard.after, heard.looks) == (8.1, 1)
    assert [each.looks for each in seen] == [1, 2, 3, 8]
    assert [each.after for each in seen[:3]] == [2.0, 5.0, 9.5]


def test_a_plain_queue_makes_the_small_shop_wait_for_the_large_one() -> None:
    shops, ordered = each_orders(500, "free", "free")
    ordered[1] = Order(1.0, 2, 1)

    fair = Play(QUICK, Outside(), shops, ordered).run()
    plain = Play(QUICK, Outside(), shops, ordered, fair=False).run()

    assert fair.claims.waits(frozenset({2}))[0] < 3.3
    assert plain.claims.waits(frozenset({2}))[0] > 25


def test_a_cap_bounds_what_runs_at_a_time() -> None:
    shops = [Client(1, cap=3), Client(2)]
    ordered = [Order(0.0, 1, 30), Order(0.0, 2, 300)]

    game = played(shops, ordered, create=Uniform(0.1, 0.1), predict=Uniform(5.0, 5.0))

    mine = [at for at, shop in game.diary.pairs() if shop == 1]
    assert most_in_window(mine, 5.0) == 3


@pytest.mark.parametrize("limit", [360, 1440])
def test_batches_get_all_of_the_limit_although_few_messages_are_sent_for_them(limit: int) -> None:
    assert refill(limit).part == pytest.approx(1.0, abs=0.01)


def test_a_day_has_as_many_images_as_it_should_and_most_by_day() -> None:
    ordered = orders(clients(1_000, 50_000))

    images: Counter[int] = Counter()
    for order in ordered:
        images[int(order.at // 3600)] += order.images

    assert sum(images.values()) == pytest.approx(50_000, rel=0.01)
    assert sum(images[hour] for hour in range(12, 18)) > 2 * sum(images[h] for h in range(6))
