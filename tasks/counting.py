"""Counting what has become final, for the analytics of instances that do not ask themselves, and
adding up what `/metrics` tells."""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models import analytics, totals
from tasks.gear import Gear

log = structlog.get_logger(__name__)

INSTANCES = 500
# What one sweep counts at the most: far more than ten of them can have made, and so little that an
# old database that was never counted holds no sweep up for long.
IMAGES = 10_000
# For the same reason, the pages of days and of the ledger that one sweep adds up.
PAGES = 20


def count_final(gear: Gear) -> str:
    """Count images of every instance that has some to be counted; one that cannot be counted just
    now keeps none of the others waiting."""
    with gear.database():
        instances = analytics.instances_with_news(INSTANCES)
    counted = 0
    for instance_id in instances:
        counted += _count(gear, instance_id, IMAGES - counted)
    return f"{counted} images counted"


def _count(gear: Gear, instance_id: int, most: int) -> int:
    counted = 0
    while counted < most and not gear.stopping.is_set():
        try:
            with gear.database():
                page = analytics.count_page(instance_id, min(analytics.PAGE, most - counted))
        except SQLAlchemyError:
            log.exception("instance passed over", instance=instance_id)
            break
        if not page:
            break
        counted += page
    return counted


def add_up(gear: Gear) -> str:
    """Add up the images that ended and the credits that were charged since the last time."""
    days, entries = (_add_up(gear, add) for add in (totals.add_days, totals.add_charges))
    return f"{days} days and {entries} entries added up"


def _add_up(gear: Gear, add: Callable[[], int]) -> int:
    added = 0
    for _ in range(PAGES):
        if gear.stopping.is_set():
            break
        with gear.database():
            page = add()
        added += page
        if page < totals.PAGE:
            break
    return added
