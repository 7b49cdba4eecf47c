"""An API that shows what a host on this machine has."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from api import current
from api.rooms import Rooms
from config.settings import Settings
from tasks.source_pictures import SourcePictures
from tests.api.clients import Shop, open_shop
from tests.api.conftest import serving
from tests.api.previews.kit import FAST, picture
from tests.scripted_server import (
    ScriptedServer,
    answer,
    scripted_server,
)


@pytest.fixture
def host() -> Iterator[ScriptedServer]:
    """A shop's image host; it shows a picture 1000 pixels wide."""
    with scripted_server() as server:
        server.play(answer(200, picture()))
        yield server


@pytest.fixture
def near(settings: Settings) -> Iterator[Flask]:
    """An API that may show what is on this machine."""
    settings = replace(settings, allow_private_image_urls=True)
    with serving(settings) as app:
        parts = app.extensions[current.KEY]
        parts.sources = SourcePictures(settings, FAST, total=0.6)
        parts.rooms = Rooms(patience=0.2)
        yield app
        parts.sources.close()


@pytest.fixture
def charlie(near: Flask) -> Shop:
    """A shop of it."""
    return open_shop(near, "charlie")
