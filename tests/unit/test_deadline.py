"""One end for all that a piece of work does on the network."""

import math

import pytest

from tasks.deadline import all_within, within


def test_a_step_gets_its_own_time_or_what_is_left_of_the_whole() -> None:
    with all_within(10.0):
        assert within(1.0, TimeoutError) == 1.0
        assert 9.0 < within(20.0, TimeoutError) <= 10.0
        assert 9.0 < within(None, TimeoutError) <= 10.0


def test_nothing_begins_after_the_end() -> None:
    with all_within(0.0), pytest.raises(TimeoutError):
        within(1.0, TimeoutError)


def test_an_end_within_another_moves_it_no_further_away() -> None:
    with all_within(1.0):
        with all_within(10.0):
            assert within(None, TimeoutError) <= 1.0
        with all_within(0.5):
            assert within(None, TimeoutError) <= 0.5
        assert within(None, TimeoutError) > 0.5


def test_whoever_sets_no_end_has_none() -> None:
    with all_within(1.0):
        pass

    assert within(None, TimeoutError) == math.inf
    assert within(5.0, TimeoutError) == 5.0
