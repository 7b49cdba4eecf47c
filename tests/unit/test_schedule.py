"""The slots to come are those that the limiter's own rule gives, however far ahead one looks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.limiter import LimiterState
from tasks.schedule import Schedule

NOW = 1_795_000_000.0


def state(
    limit: int = 5,
    window: float = 30.0,
    spacing: float = 1.0,
    grants: tuple[float, ...] = (),
    next_slot_in: float = 0.0,
) -> LimiterState:
    """What a limiter without a grant's age would tell after these grants."""
    return LimiterState(
        limit=limit,
        window=window,
        spacing=spacing,
        slots_used_in_window=len(grants),
        next_slot_in=next_slot_in,
        paused_for=0.0,
        pause_reason="",
        seeded=True,
        now=NOW,
        grants=grants,
        grant_window=window,
        grant_spacing=spacing,
    )


def obey(log: list[float], limit: int, window: float, spacing: float, since: float) -> float:
    """Take a slot as soon as `limiter.lua` grants one, and not before `since`."""
    nth = log[-limit] + window if len(log) >= limit else 0.0
    last = log[-1] + spacing if log else 0.0
    log.append(max(nth, last, since))
    return log[-1]


def after(waits: list[float], limit: int, window: float, spacing: float) -> list[float]:
    """The log after asking at some moments of the last while."""
    log: list[float] = []
    moment = NOW - sum(waits)
    for wait in waits:
        obey(log, limit, window, spacing, moment)
        moment += wait
    return [grant for grant in log if grant <= NOW]


@given(
    waits=st.lists(st.floats(0.0, 20.0), max_size=20),
    limit=st.integers(1, 6),
    window=st.floats(1.0, 40.0),
    spacing=st.sampled_from([0.0, 0.5, 1.0, 9.0, 50.0]),
    pause=st.sampled_from([0.0, 3.0, 100.0]),
)
def test_slots_are_foretold_as_the_limiter_grants_them(
    waits: list[float], limit: int, window: float, spacing: float, pause: float
) -> None:
    log = after(waits, limit, window, spacing)
    first = obey(list(log), limit, window, spacing, NOW + pause)
    in_window = tuple(grant for grant in log if grant > NOW - window)
    told = state(limit, window, spacing, in_window[-limit:], first - NOW)

    foretold = [Schedule(told).slot(number) for number in range(1, 10 * limit)]

    granted = [obey(log, limit, window, spacing, NOW + pause) for _ in foretold]
    assert foretold == pytest.approx(granted, abs=1e-4, rel=0)


def test_a_place_far_behind_is_so_many_windows_away() -> None:
    schedule = Schedule(state())

    assert [schedule.slot(number) for number in (1, 5, 6)] == [NOW, NOW + 4, NOW + 30]
    assert schedule.slot(10_000_001) == NOW + 2_000_000 * 30


@pytest.mark.parametrize("reason", ["throttled", "unreachable"])
def test_after_a_pause_that_ends_by_itself_slots_go_on(reason: str) -> None:
    paused = replace(state(next_slot_in=90.0), paused_for=90.0, pause_reason=reason)

    assert Schedule(paused).slot(2) == NOW + 91


@pytest.mark.parametrize("reason", ["insufficient_credit", "", "maintenance"])
def test_nobody_foretells_when_an_operator_acts(reason: str) -> None:
    paused = replace(state(next_slot_in=60.0), paused_for=60.0, pause_reason=reason)

    assert Schedule(paused).slot(1) is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, 0), (14, 10), (57, 60), (80, 60), (100, 120), (590, 600), (700, 600), (3000, 3000)],
)
def test_what_is_further_off_is_told_more_coarsely(seconds: float, told: int) -> None:
    at_a_full_hour = NOW - NOW % 3600
    schedule = Schedule(replace(state(), now=at_a_full_hour))

    assert schedule.told(at_a_full_hour + seconds) - at_a_full_hour == told


def test_what_waits_for_days_is_told_in_hours() -> None:
    assert Schedule(state()).told(NOW + 200_000) % (3 * 3600) == 0
