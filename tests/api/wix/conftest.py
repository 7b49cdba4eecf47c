"""The API on a stand-in for Wix, and Alice's shop there."""

from collections.abc import Iterator

import pytest
from flask import Flask

from config.settings import Settings
from tests.api.catalogues import CUPS, connect, on_wix
from tests.api.clients import Shop
from tests.wix_stand_in import (
    V1,
    V3,
    WixStandIn,
    wix_stand_in,
)


@pytest.fixture
def wix() -> Iterator[WixStandIn]:
    with wix_stand_in() as wix:
        yield wix


@pytest.fixture
def app(settings: Settings, wix: WixStandIn) -> Iterator[Flask]:
    with on_wix(settings, wix) as app:
        yield app


@pytest.fixture(params=[V3, V1])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(alice: Shop, wix: WixStandIn, version: str) -> Shop:
    """Alice with five products, in each of the catalogues."""
    return connect(alice, "alice", wix.open_site("alice", version, *CUPS))
