"""The history that a database is filled with, in blocks: five jobs with twenty images of one shop,
ordered at one moment. Every second block is the large shop's; blocks of one kind are alike.

The database itself makes each image's rows of blocks and slots (`benchmarks.growth.rows`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from typing import NamedTuple

from models.analytics import hash_of

IMAGES, JOBS = 20, 5
DAYS = 60
PROMPTS = 40
LARGE_SHOP = 1
# Younger than WAITING_EXPIRES_AFTER.
WAITING_SINCE = timedelta(hours=12)
# Blocks that are under way, and blocks of which every image rests after a failure.
RUNNING, RESTING = 2, 1


@dataclass(frozen=True)
class Scale:
    """How much a database holds: shops, images of all, and those of them that wait."""

    shops: int
    images: int
    waiting: int

    @property
    def blocks(self) -> int:
        """All of them."""
        return self.images // IMAGES

    @property
    def ended(self) -> int:
        """The blocks in which nothing is left to do; the others come after them."""
        return self.blocks - self.waiting // IMAGES - RUNNING - RESTING

    def kind(self, number: int) -> str:
        """How far a block has come."""
        if number < self.ended:
            # What the large shop ordered before it orders again.
            return "reusing" if _is_large(number) and number >= 2 else "ended"
        if number < self.ended + RESTING:
            return "resting"
        return "running" if number < self.ended + RESTING + RUNNING else "waiting"


class Block(NamedTuple):
    """A row of the table from which all others are made. Ids begin behind `first_job` and
    `first_item`; `upload` is the picture of its first image, `origin` the block before it of the
    large shop, whose picture is ordered again."""

    number: int
    kind: str
    instance_id: int
    first_job: int
    first_item: int
    created: datetime
    prompt: str
    prompt_hash: str
    batch_id: int | None
    upload: str | None
    origin_item: int | None
    origin_upload: str | None


def blocks(scale: Scale, now: datetime) -> Iterator[Block]:
    """All of them, the oldest first."""
    for number in range(scale.blocks):
        large = _is_large(number)
        origin = number - 2 if scale.kind(number) == "reusing" else None
        prompt = f"On a table of oak in soft morning light, version {number % PROMPTS}"
        yield Block(
            number,
            scale.kind(number),
            LARGE_SHOP if large else 2 + number // 2 % (scale.shops - 1),
            number * JOBS,
            number * IMAGES,
            now - _age(scale, number),
            prompt,
            hash_of(prompt),
            number // 8 + 1 if large and number % 8 == 0 else None,
            _upload(number) if large else None,
            None if origin is None else origin * IMAGES + 1,
            None if origin is None else _upload(origin),
        )


def _is_large(number: int) -> bool:
    return number % 2 == 0


def _age(scale: Scale, number: int) -> timedelta:
    """Evenly spread: what ended over the days, and what waits over the last hours."""
    if number < scale.ended:
        spread = timedelta(days=DAYS) - WAITING_SINCE
        age = WAITING_SINCE + spread * (1 - number / scale.ended)
    else:
        rest = scale.blocks - scale.ended
        age = WAITING_SINCE * (1 - (number - scale.ended) / (rest + 1))
    return timedelta(seconds=int(age.total_seconds()))


def _upload(number: int) -> str:
    return md5(f"upload {number}".encode(), usedforsecurity=False).hexdigest() + ".jpg"
