"""What the stand-in's own log proves: which predictions were made, for which image, and when."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from config.forms import RateLimit
from tests.grants import most_in_window

# Grants are that much further apart than the limit says, and a create arrives a moment after its
# grant.
ARRIVAL = 0.2

Image = tuple[str, str]
"""The URL and the prompt."""


def image_of(given: Mapping[str, Any]) -> Image:
    """The image that a create's input is for."""
    return str(given["image_input"][0]), str(given["prompt"])


def check_made_once(predictions: Iterable[Mapping[str, Any]], accepted: Counter[Image]) -> None:
    """No image got a second prediction while one lived or after one had succeeded.

    `accepted` counts the items of each image: equal ones are interchangeable.
    """
    of_image: dict[Image, list[Mapping[str, Any]]] = defaultdict(list)
    for prediction in sorted(predictions, key=lambda each: str(each["created_at"])):
        image = image_of(prediction["input"])
        standing = [each for each in of_image[image] if _stood(each, prediction["created_at"])]
        assert len(standing) < accepted[image], f"{image}: {prediction} beside {standing}"
        of_image[image].append(prediction)


def _stood(prediction: Mapping[str, Any], moment: str) -> bool:
    """Whether it lived at that moment, or has succeeded."""
    ended = prediction.get("completed_at")
    return prediction["status"] == "succeeded" or ended is None or ended > moment


def arrivals(requests: Iterable[Mapping[str, Any]]) -> list[float]:
    """When each create that was accepted came."""
    return [
        each["time"]
        for each in requests
        if each["method"] == "POST" and each["path"].endswith("/predictions") and each["prediction"]
    ]


def check_limit(requests: Iterable[Mapping[str, Any]], limit: RateLimit) -> None:
    """No window saw more creates than the limit allows, by the time at which they arrived."""
    most = most_in_window(arrivals(requests), limit.window - ARRIVAL)
    assert most <= limit.count, f"{most} creates within {limit.window:g} s"
