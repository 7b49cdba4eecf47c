"""The judge of the limiters finds what is wrong, and a small run of all of it works."""

import json
import time

import pytest

from benchmarks.limiter import bullmq, running
from benchmarks.limiter.cases import OURS, Case, Limit, ours, peers
from benchmarks.limiter.judge import (
    lateness,
    lost_slots,
    possible,
    share_of_possible,
    worst_window,
)
from benchmarks.limiter.receiver import Receiver, Sender
from benchmarks.limiter.report import plots, tables, targets
from benchmarks.limiter.running import Outcome, Work

LIMIT = Limit(5, 3.0)
SPACED = Limit(5, 3.0, 0.1)


def perfect(limit: Limit, rounds: int, late: float = 0.0) -> list[float]:
    """Sends at the first moments that the limit allows; each round begins `late` more."""
    return [
        100 + n * (limit.round + late) + place * limit.spacing
        for n in range(rounds)
        for place in range(limit.count)
    ]


def test_a_perfect_run_is_found_perfect() -> None:
    sends = perfect(SPACED, 4)

    assert worst_window(sends, SPACED) == 5
    assert share_of_possible(sends, SPACED) == pytest.approx(1)
    assert lost_slots(sends, SPACED, 10.5) == 0
    assert max(map(abs, lateness(sends, SPACED))) == pytest.approx(0)


def test_one_send_too_many_is_found_wherever_it_is() -> None:
    for extra in (100.0, 101.7, 103.4, 108.9):
        assert worst_window([*perfect(LIMIT, 4), extra], LIMIT) > LIMIT.count


def test_the_tolerance_forgives_a_short_way_and_no_more() -> None:
    assert worst_window([100.0] * 5 + [102.96], LIMIT) == 5
    assert worst_window([100.0] * 5 + [102.94], LIMIT) == 6


def test_a_window_is_half_open() -> None:
    assert worst_window([100.0] * 5 + [102.95], LIMIT) == 5


def test_bursts_that_meet_are_found() -> None:
    """A fixed window lets one burst end it and another one begin the next."""
    assert worst_window([102.9] * 50 + [103.0] * 50, Limit(50, 3.0)) == 100


def test_the_rate_notices_what_a_count_would_not() -> None:
    sends = perfect(LIMIT, 4, late=0.03)

    assert lost_slots(sends, LIMIT, 10.5) == 0
    assert share_of_possible(sends, LIMIT) == pytest.approx(3 / 3.03)


def test_who_sends_more_than_possible_has_a_share_above_one() -> None:
    every = [100 + n * 0.15 for n in range(81)]

    assert share_of_possible(every, LIMIT) == pytest.approx(4)


def test_too_few_sends_have_no_rate() -> None:
    assert share_of_possible([100.0, 101.0], LIMIT) == 0


def test_what_was_possible_counts_the_round_that_has_begun() -> None:
    assert [possible(LIMIT, seconds) for seconds in (0, 2.9, 3, 7.5)] == [5, 5, 10, 15]
    assert [possible(SPACED, seconds) for seconds in (0, 0.25, 2.9, 3.05)] == [1, 3, 5, 6]


def test_slots_that_nobody_took_are_lost() -> None:
    sends = perfect(SPACED, 4)

    assert lost_slots(sends[:7] + sends[8:], SPACED, 10.5) == 1


def test_late_is_what_came_after_the_first_moment() -> None:
    assert lateness([100.0] * 5 + [103.02, 102.5], LIMIT) == pytest.approx([-0.5, 0.02])


def test_the_receiver_starts_all_at_once_and_notes_when_each_send_came() -> None:
    receiver = Receiver()
    first, second = Sender(receiver.port), Sender(receiver.port)
    for each in (first, second):
        each.say_ready()
    deadline = time.monotonic() + 5
    while receiver.ready < 2 and time.monotonic() < deadline:
        time.sleep(0.005)

    before = time.monotonic()
    receiver.start()
    first.wait_for_start()
    second.wait_for_start()
    first.send()
    between = time.monotonic()
    second.send()
    after = time.monotonic()
    for sender in (first, second):
        sender.close()
    receiver.close()

    sent, sent_then = receiver.arrivals
    assert before < sent < between < sent_then < after


def outcome(case: Case, arrivals: list[float], scripts: int = 10) -> Outcome:
    return Outcome(case, arrivals, Work(scripts, 30, 0.001), 10, case.deaths)


def test_targets_are_kept_by_a_perfect_run_and_missed_by_others() -> None:
    alive = Case(OURS, SPACED, 4)
    dead = Case(OURS, SPACED, 4, killed=1)
    sends = perfect(SPACED, 4)
    double = [*sends, sends[0]]

    good = targets([outcome(alive, sends), outcome(dead, sends[:-1])])
    bad = targets(
        [outcome(alive, double), outcome(alive, sends, scripts=21), outcome(dead, sends[:-2])]
    )
    slow = targets([outcome(alive, perfect(SPACED, 4, late=0.02)), outcome(dead, sends)])

    assert [each.kept for each in good] == [True] * 4
    assert [each.kept for each in bad] == [False, True, False, False]
    assert [each.kept for each in slow] == [True, False, True, True]


def test_tables_and_plots_show_every_limiter() -> None:
    cases = [Case(name, SPACED, 4, skew) for name in (OURS, "limits") for skew in (False, True)]
    outcomes = [outcome(case, perfect(SPACED, 4)) for case in cases]

    table, deaths = tables(outcomes)
    pictures = plots(outcomes, SPACED, 4)

    assert [row[0] for row in table.rows] == [OURS, OURS, "limits", "limits"]
    assert deaths.rows == []
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert pictures[0].series["the limit"] == [(OURS, 5.0), ("limits", 5.0)]
    skewed = dict(pictures[1].series["half of them 2 s ahead"])
    assert skewed == pytest.approx({OURS: 100, "limits": 100})


def test_all_that_the_issue_names_is_measured() -> None:
    mine = [each for batch in ours() for each in batch]
    others = {each.limiter for batch in peers(with_bullmq=True) for each in batch}

    assert {each.processes for each in mine} == {1, 4, 16}
    assert {str(each.limit) for each in mine} == {"50 per 3 s", "5 per 3 s, 0.1 s apart"}
    assert {each.skewed for each in mine} == {True, False}
    assert any(each.killed and each.dropped for each in mine)
    assert others == {"limits", "pyrate-limiter", "dramatiq", "Celery rate_limit", "BullMQ"}
    assert BULLMQ_IS_PINNED


BULLMQ_IS_PINNED = (
    json.loads((bullmq.HERE / "package.json").read_text())["dependencies"]["bullmq"] == "6.7.0"
)


def test_a_small_run_keeps_the_limit_with_clocks_apart_and_a_death() -> None:
    skewed = Case(OURS, Limit(4, 0.5), 2, skewed=True, rounds=2)
    dying = Case(OURS, Limit(4, 0.5), 3, rounds=2, killed=1, dropped=1)

    outcomes = running.run([skewed, dying])

    for each in outcomes:
        assert len(each.arrivals) > each.case.limit.count
        assert worst_window(each.arrivals, each.case.limit) <= each.case.limit.count
        assert each.work.scripts > 0
