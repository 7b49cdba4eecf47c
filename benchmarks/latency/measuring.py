"""What is measured: images alone and in a stream, with webhooks and without."""

import random
from dataclasses import dataclass, field

from benchmarks.latency.life import Life
from benchmarks.latency.moments import lives
from benchmarks.latency.orders import one_by_one, streaming
from benchmarks.latency.whole import whole
from benchmarks.steps import Step, steps

# Seconds that the model takes: short for images alone, to see many; long where it is polled,
# because what a poll costs shows in the runs that take several checks.
ALONE = [0.05, 0.15]
HEARD = [0.2, 1.0]
POLLED = [1.0, 12.0]


@dataclass(frozen=True)
class Measured:
    """The lives of the images of each way."""

    alone: list[Life] = field(default_factory=list)
    stream: list[Life] = field(default_factory=list)
    polled: list[Life] = field(default_factory=list)


def measured(quick: bool) -> Measured:
    """Run all of it; the first images of each process, which open connections, do not count."""
    rounds, alone, stream, polled = (1, 4, 8, 6) if quick else (3, 40, 60, 150)
    with steps("latency", 2 * rounds + 3) as step:
        found = _heard(step, rounds, alone, stream)
        found.polled.extend(_polled(step, polled, [0.2, 3.0] if quick else POLLED))
    return found


def _heard(step: Step, rounds: int, alone: int, stream: int) -> Measured:
    dice = random.Random(1)
    found = Measured()
    step("starting, with webhooks")
    with whole(webhooks=True) as running:
        stand_in = running.room.stand_in
        one_by_one(running, 3, dice)
        for number in range(1, rounds + 1):
            step(f"images alone, round {number} of {rounds}")
            stand_in.knobs(process_latency=ALONE)
            found.alone.extend(lives(running, one_by_one(running, alone, dice)))
            step(f"a stream of images, round {number} of {rounds}")
            stand_in.knobs(process_latency=HEARD)
            found.stream.extend(lives(running, streaming(running, stream, dice)))
    return found


def _polled(step: Step, images: int, latency: list[float]) -> list[Life]:
    dice = random.Random(2)
    step("starting, without webhooks")
    with whole(webhooks=False) as running:
        one_by_one(running, 2, dice)
        step("a stream of images that are polled")
        running.room.stand_in.knobs(process_latency=latency)
        return lives(running, streaming(running, images, dice))
