"""On the 1st of a month (UTC): every plan's allotment, for instances that do not ask themselves."""

from models import ledger
from tasks.celery import app
from tasks.gear import Gear, gear

PAGE = 200


@app.task(name="reset-monthly-credits")
def reset_monthly_credits() -> str:
    """See `reset_missing`."""
    return reset_missing(gear())


def reset_missing(gear: Gear) -> str:
    """Book this month's missing resets, each in a transaction of its own."""
    booked = 0
    while page := _page(gear):
        for instance_id in page:
            with gear.database():
                ledger.reset_if_due(instance_id)
        booked += len(page)
    return f"{booked} instances were reset"


def _page(gear: Gear) -> list[int]:
    if gear.stopping.is_set():
        return []
    with gear.database():
        return list(ledger.instances_to_reset(PAGE))
