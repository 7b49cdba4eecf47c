"""Classes of durations: small numbers of counts that tell percentiles closely enough."""

import math
from collections import Counter
from random import Random

from models.durations import bucket_of, percentile, seconds_of


def test_a_class_tells_its_durations_within_five_percent() -> None:
    durations = [0.1 * 1.003**n for n in range(4600)]

    errors = [abs(seconds_of(bucket_of(each)) / each - 1) for each in durations]

    assert durations[-1] > 86_400
    assert max(errors) < 0.05
    assert len({bucket_of(each) for each in durations}) < 200


def test_percentiles_are_those_of_the_durations_themselves() -> None:
    random = Random(1)
    durations = sorted(random.lognormvariate(3, 1) for _ in range(10_000))
    images = Counter(map(bucket_of, durations))

    for share in (0.5, 0.95, 1.0):
        true = durations[math.ceil(share * len(durations)) - 1]
        told = percentile(images, share)
        assert told is not None
        assert abs(told / true - 1) < 0.05


def test_no_images_took_no_time_and_some_took_less_than_none() -> None:
    assert percentile({}, 0.5) is None
    assert bucket_of(-3.0) == bucket_of(0.0) == bucket_of(0.1)
