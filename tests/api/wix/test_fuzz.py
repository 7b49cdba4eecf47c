"""Whatever JSON comes from Wix, the answer is the products, or that they cannot be had."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from config.forms import RateLimit
from config.settings import Settings
from tests.api.catalogues import PRODUCTS, connect, on_wix
from tests.api.clients import Shop, open_shop, order
from tests.scripted_server import answer
from tests.wix_stand_in import V1, V3, WixStandIn, guid, product, wix_stand_in

TOKEN = {"access_token": "token", "token_type": "Bearer", "expires_in": 14_400}
PATHS = {
    "token": "/oauth2/token",
    "version": "/stores/v3/provision/version",
    V3: "/stores/v3/products/query",
    V1: "/stores-reader/v1/products/query",
}
DOCUMENTS: dict[str, Any] = {
    "token": TOKEN,
    "version": {"catalogVersion": V3},
    V3: {
        "products": [product(V3, "Cup"), product(V3, "Pot", 1)],
        "pagingMetadata": {"cursors": {"next": "1:"}},
    },
    V1: {"products": [product(V1, "Cup"), product(V1, "Pot", 1)], "totalResults": 2},
}
Where = tuple[str | int, ...]

ABSURD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(10**400, -(10**400), 10**4299, 1e308, -0.0, float("nan"), float("inf"), True, None),
        *("", " ", "\0", "\ud800", "a/b", "..", "cup\n", "x" * 100_000, "é" * 3000, "image"),
        *("1e-400000", "1e400000", "9" * 100_000, "0." + "3" * 100_000, "-1", "sNaN", "EUR\n"),
        *("http://[", "https://a.example/\0", "wix:image://v1/../x", "wix:image://v1/\x7f/x"),
        *({}, [], [None], [[]], {"": {}}, ["x" * 5000] * 50, V1, V3),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def places(value: object, path: Where = ()) -> Iterator[Where]:
    """Everything inside a document, the document too."""
    yield path
    inner: Any = {}
    if isinstance(value, dict):
        inner = value
    elif isinstance(value, list):
        inner = dict(enumerate(value))
    for key, each in inner.items():
        yield from places(each, (*path, key))


PLACES = [(kind, path) for kind, document in DOCUMENTS.items() for path in places(document)]


def spoiled(document: Any, path: Where, value: object) -> Any:
    """A document with another value at one place."""
    if not path:
        return value
    key, *rest = path
    spoilt = copy.copy(document)
    spoilt[key] = spoiled(document[key], tuple(rest), value)
    return spoilt


@pytest.fixture
def wix() -> Iterator[WixStandIn]:
    with wix_stand_in() as wix:
        yield wix


@pytest.fixture
def shop(settings: Settings, wix: WixStandIn) -> Iterator[Shop]:
    """Alice, who may ask as often as she likes."""
    with on_wix(replace(settings, api_rate_limit=RateLimit(999_999, 60.0)), wix) as app:
        yield open_shop(app, "alice", credits=10**9)


@bounds(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.sampled_from(PLACES), value=ABSURD | JSON)
@example(place=("token", ("expires_in",)), value=10**400)
@example(place=("token", ("expires_in",)), value=-(10**400))
@example(place=(V3, ("pagingMetadata", "cursors", "next")), value="\ud800")
@example(place=(V3, ("pagingMetadata", "cursors", "next")), value="x" * 100_000)
@example(place=(V3, ("products", 0, "id")), value="a/b")
@example(place=(V1, ("products", 0, "id")), value="\0")
@example(place=(V3, ("products", 0, "name")), value="The\0cup")
@example(place=(V1, ("products", 0, "name")), value="\ud800")
def test_whatever_wix_answers_is_products_or_none(
    shop: Shop, wix: WixStandIn, place: tuple[str, Where], value: object
) -> None:
    kind, path = place
    # A site that was never asked for: its token and its version are not known yet.
    site = wix.open_site(f"site {next(wix.numbers)}", V1 if kind == V1 else V3, "Cup")
    connect(shop, "alice", site)
    wix.tokens["Bearer token"] = site
    wix.faults = {PATHS[kind]: [answer(200, spoiled(DOCUMENTS[kind], path, value))]}

    told = shop.get(PRODUCTS)

    assert told.status_code in {200, 409, 503}, told.text
    assert not wix.faults[PATHS[kind]]
    assert len(told.get_json().get("nextCursor") or "") <= 4000
    check_that_each_can_be_ordered(shop, told.get_json().get("products", []))


def check_that_each_can_be_ordered(shop: Shop, products: list[dict[str, Any]]) -> None:
    for each in products:
        assert each["id"] in {guid("Cup"), guid("Pot")}
        assert shop.post(order(productId=each["id"], productName=each["name"])).status_code == 201
