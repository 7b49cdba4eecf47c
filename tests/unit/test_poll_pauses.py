"""How long nobody asks about a prediction that still runs."""

import pytest

from tasks.collect import LONGEST_POLL, pause


@pytest.mark.parametrize(("poll", "checks"), [(2.0, 15), (0.5, 60)])
def test_for_half_a_minute_the_pause_is_the_setting_and_then_it_grows(
    poll: float, checks: int
) -> None:
    assert {pause(poll, number) for number in range(1, checks + 1)} == {poll}
    assert poll < pause(poll, checks + 1) < pause(poll, checks + 2)


@pytest.mark.parametrize("poll", [0.1, 2.0, 30.0])
def test_it_grows_up_to_a_bound_however_long_a_prediction_runs(poll: float) -> None:
    assert pause(poll, 100_000) == LONGEST_POLL
