"""Real Chromium in front of the real service; every page of every test is watched.

The fixtures are pytest-playwright's (`page`, `context`, `new_context`), with our browser, a look
and the watch. A test of many states carries `@pytest.mark.every_look`: `make test` runs it with one
look, `make soak` with each.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.checks import NOTE_SHIFTS
from tests.browser.chromium import NoChromium, find, this_machine
from tests.browser.looks import DESKTOP, LOOKS, Look, look_of
from tests.browser.shopfront import Shopfront, shopfront
from tests.browser.watch import Watch
from tests.databases import copy_sqlite
from tests.stand_in import StandIn
from tests.valkey import Valkey

ARGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    # Root cannot have Chromium's sandbox, and a container often forbids it to all; what it loads
    # is ours. Names are not looked up: nothing can leave this machine.
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# What a page may take in a test before it counts as broken, in ms: a test run keeps two cores busy.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("every_look"):
        name = metafunc.definition.nodeid.rpartition("/")[2]
        once = pytest.param(look_of(name), id=f"once-{look_of(name)}")
        soaked = [pytest.param(look, id=str(look), marks=pytest.mark.soak) for look in LOOKS]
        metafunc.parametrize("look", [once, *soaked])


@pytest.fixture(scope="session")
def base_url() -> str:
    """Tests name whole addresses. (pytest-playwright's own is a method, which pytest warns of.)"""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = find(this_machine())
    if path is None:
        raise NoChromium("There is no Chromium: `make chromium` finds or installs one.")
    return {**browser_type_launch_args, "executable_path": path, "args": ARGS}


@pytest.fixture
def look() -> Look:
    """What a page is looked at with."""
    return DESKTOP


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], look: Look) -> dict[str, Any]:
    return {**browser_context_args, **look.context_args()}


@pytest.fixture
def own_origin(shop: Shopfront) -> str:
    """The one origin that pages may speak with."""
    return shop.url


@pytest.fixture
def watch(own_origin: str) -> Watch:
    """What this test's pages do; what is part of the test is allowed here."""
    return Watch(own_origin)


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], watch: Watch
) -> Iterator[Callable[..., BrowserContext]]:
    def watched(**facts: Any) -> BrowserContext:
        context = new_context(**facts)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(NOTE_SHIFTS)
        watch.attach(context)
        return context

    yield watched
    watch.check()


@pytest.fixture(scope="session")
def shared_shopfront(
    sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shopfront]:
    """A broker and a stand-in of its own: other tests empty theirs."""
    folder = tmp_path_factory.mktemp("shopfront")
    valkey = Valkey().start()
    try:
        with (
            StandIn() as stand_in,
            shopfront(copy_sqlite(sqlite_template, folder), valkey.url, stand_in, folder) as built,
        ):
            yield built
    finally:
        valkey.close()


@pytest.fixture
def shop(shared_shopfront: Shopfront) -> Iterator[Shopfront]:
    """The whole service, with nothing of another test under way."""
    yield shared_shopfront
    shared_shopfront.clear()
