"""The proof itself can fail: it sees a double prediction and a limit that was not kept."""

from collections import Counter
from typing import Any

import pytest

from config.forms import RateLimit
from tests.proof import check_limit, check_made_once

IMAGE = ("https://shop.example/cup/0.jpg", "brighter")


def prediction(created: int, status: str, completed: int | None) -> dict[str, Any]:
    """One of Replicate's list, made and ended in these seconds."""
    moments = {"created_at": f"12:00:{created:02}", "status": status}
    given = {"image_input": [IMAGE[0]], "prompt": IMAGE[1]}
    ended = {} if completed is None else {"completed_at": f"12:00:{completed:02}"}
    return {"input": given, **moments, **ended}


def test_a_second_prediction_after_a_failed_one_is_right() -> None:
    made = [prediction(5, "succeeded", 6), prediction(1, "failed", 2)]

    check_made_once(made, Counter([IMAGE]))


@pytest.mark.parametrize(
    "first",
    [
        prediction(1, "succeeded", 2),
        prediction(1, "failed", 9),
        prediction(1, "processing", None),
    ],
)
def test_a_second_prediction_beside_another_one_is_seen(first: dict[str, Any]) -> None:
    made = [first, prediction(5, "succeeded", 6)]

    with pytest.raises(AssertionError):
        check_made_once(made, Counter([IMAGE]))


def test_equal_images_may_have_a_prediction_each_and_no_more() -> None:
    made = [prediction(1, "succeeded", 2), prediction(1, "succeeded", 2)]

    check_made_once(made, Counter([IMAGE, IMAGE]))
    with pytest.raises(AssertionError):
        check_made_once([*made, prediction(3, "starting", None)], Counter([IMAGE, IMAGE]))


def test_a_window_with_too_many_creates_is_seen() -> None:
    create = {"method": "POST", "path": "/v1/models/a/b/predictions", "prediction": "x"}
    creates = [{**create, "time": moment} for moment in (0.0, 1.0, 2.0, 3.0)]

    check_limit(creates, RateLimit(3, 3.0))
    with pytest.raises(AssertionError):
        check_limit(creates, RateLimit(2, 3.0))
