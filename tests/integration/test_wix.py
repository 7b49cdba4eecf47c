"""The client of Wix itself: how long it waits, and what it keeps."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.catalogue.errors import CatalogueUnavailable
from api.catalogue.kept import Kept
from api.catalogue.wix import Wix
from tasks.wire import Timeouts
from tests.scripted_server import Script, answer, dripping, silence
from tests.tls import accepting, over_tls, self_signed
from tests.wix_stand_in import APP_ID, APP_SECRET, V3, WixStandIn, guid, wix_stand_in

QUERY = "/stores/v3/products/query"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
IMPATIENT = Timeouts(connect=0.5, read=0.8, write=0.8, pool=0.8, total=1.2)


@pytest.fixture
def wix() -> Iterator[WixStandIn]:
    with wix_stand_in() as wix:
        yield wix


@contextlib.contextmanager
def client(wix: WixStandIn, timeouts: Timeouts = IMPATIENT) -> Iterator[Wix]:
    catalogue = Wix(wix.server.url, APP_ID, APP_SECRET, timeouts)
    try:
        yield catalogue
    finally:
        catalogue.close()


@pytest.mark.parametrize("slow", ["silent", "dripping a body", "dripping a head"])
def test_a_slow_answer_is_not_waited_for(wix: WixStandIn, slow: str) -> None:
    shop = wix.open_site("alice", V3, "Red cup")
    script = {
        "silent": silence(wix.server),
        "dripping a body": dripping(wix.server, HEAD, pause=0.05),
        "dripping a head": dripping(wix.server, b"HTTP/1.1 200 OK\r\nA: ", pause=0.05),
    }[slow]
    wix.faults[QUERY] = [script]

    with client(wix) as catalogue:
        began = time.monotonic()
        with pytest.raises(CatalogueUnavailable, match=r"ReadTimeout$"):
            catalogue.shelf(shop, "", None, 20)
        took = time.monotonic() - began
        found = catalogue.shelf(shop, "", None, 20).products

    assert took < 5
    assert [product.name for product in found] == ["Red cup"]


WISHES: dict[str, Callable[[Wix, str], object]] = {
    "a page": lambda catalogue, shop: catalogue.shelf(shop, "", None, 20),
    "a product": lambda catalogue, shop: catalogue.product(shop, guid("Cup")),
}


@pytest.mark.parametrize("ask", WISHES.values(), ids=WISHES)
def test_many_slow_answers_have_the_time_of_one(
    wix: WixStandIn, ask: Callable[[Wix, str], object]
) -> None:
    shop = wix.open_site("alice", V3, "Cup")
    wix.server.responder = lambda request: late(wix, 0.4, wix.respond(request))
    patient = Timeouts(connect=5.0, read=5.0, write=5.0, pool=5.0, total=1.0)

    # A token, the catalogue's version, and what is wanted: 1.2 s.
    with client(wix, patient) as catalogue, pytest.raises(CatalogueUnavailable, match=r"Timeout$"):
        ask(catalogue, shop)


def late(wix: WixStandIn, seconds: float, script: Script) -> Script:
    return lambda connection: (wix.server.over.wait(seconds), script(connection))[1]


def test_nobody_listens() -> None:
    catalogue = Wix("http://127.0.0.1:1", APP_ID, APP_SECRET, IMPATIENT)

    with pytest.raises(CatalogueUnavailable, match="ConnectError"):
        catalogue.shelf("shop", "", None, 20)

    catalogue.close()


def test_wix_is_read_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with over_tls(accepting(certificate)) as port:
        catalogue = Wix(f"https://localhost:{port}", APP_ID, APP_SECRET)

        # It says "image" to whatever it is asked: that this arrives is what counts.
        with pytest.raises(CatalogueUnavailable, match="no JSON object"):
            catalogue.shelf("shop", "", None, 20)

    catalogue.close()


def test_threads_of_many_shops_share_one_client(wix: WixStandIn) -> None:
    shops = [wix.open_site(f"shop-{n}", V3, f"Cup {n}") for n in range(8)]

    with client(wix, Timeouts()) as catalogue, ThreadPoolExecutor(8) as threads:

        def name(shop: str) -> str:
            return catalogue.shelf(shop, "", None, 20).products[0].name

        seen = list(threads.map(name, shops * 5))

    assert seen == [f"Cup {n}" for n in range(8)] * 5


def test_no_cookie_of_one_shop_goes_to_another(wix: WixStandIn) -> None:
    alice, bob = (wix.open_site(name, V3, "Cup") for name in ("alice", "bob"))
    wix.faults[QUERY] = [answer(200, {"products": [], "pagingMetadata": {}}, Set_Cookie="a=b")]

    with client(wix, Timeouts()) as catalogue:
        for shop in (alice, bob):
            catalogue.shelf(shop, "", None, 20)

    assert len(wix.asked(QUERY)) == 2
    assert [each for each in wix.asked() if "cookie" in each.headers] == []


def test_no_error_holds_the_secret(wix: WixStandIn) -> None:
    wix.faults["/oauth2/token"] = [silence(wix.server)]

    with client(wix) as catalogue, pytest.raises(CatalogueUnavailable) as raised:
        catalogue.shelf("shop", "", None, 20)

    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert APP_SECRET not in str(raised.value)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    kept: Kept[int] = Kept(most=2)

    for number in range(3):
        kept.put(str(number), number, 60.0)

    assert [kept.get(str(number)) for number in range(3)] == [None, 1, 2]


def test_what_another_thread_has_renewed_is_not_dropped() -> None:
    kept: Kept[str] = Kept()
    kept.put("shop", "new", 60.0)

    kept.drop("shop", "old")

    assert kept.get("shop") == "new"
    kept.drop("shop", "new")
    assert kept.get("shop") is None
