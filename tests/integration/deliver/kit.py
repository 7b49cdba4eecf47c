"""What ends while a shop's app listens, and what became of the deliveries."""

import pytest

from models.tables import DeliveryStatus, WebhookEndpoint
from tasks.gear import Gear
from tasks.queues import depths
from tests.receiver import finish_next, listen, rows
from tests.shop import open_shop, submit

# Seconds that a delivery may take in all.
TOTAL = 1.2
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def messages(gear: Gear) -> int:
    """The messages that wait for a housekeeper."""
    return depths(gear.redis)["housekeeping"].total


def one_end(gear: Gear, url: str, *wanted: str, shop: str = "alice") -> WebhookEndpoint:
    """Open a shop that is told of an image's end at an address, and let that image end."""
    with gear.database():
        instance = open_shop(shop)
        endpoint = listen(instance, url, *wanted)
        submit(instance)
        finish_next()
    return endpoint


def states(gear: Gear) -> list[DeliveryStatus]:
    """The status of each delivery."""
    with gear.database():
        return [each.status for each in rows()]
