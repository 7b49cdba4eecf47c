"""Wix Stores as a catalogue: each of our instances is an installation of our Wix app.

A site has either of two catalogues that know nothing of each other, and says which.
"""

from enum import StrEnum
from typing import Any

from api.catalogue import wix_v1, wix_v3
from api.catalogue.errors import CatalogueNotConnected, CatalogueUnavailable, page_gone
from api.catalogue.interface import Position, Product, Shelf
from api.catalogue.kept import Kept
from api.catalogue.wix_access import WixAccess
from api.catalogue.wix_shapes import GUID, openable, products_of
from api.catalogue.wix_wire import TIMEOUTS, Answer, WixWire
from models.errors import NotFound
from tasks.deadline import all_within
from tasks.wire import Timeouts

# Wix moves sites to V3, and never back; a site that was moved answers 428 until we have noticed.
VERSION_KEPT = 3600.0
WRONG_VERSION = 428

NOT_CONNECTED = (
    "No shop is connected. Install the Darkroom app in Wix, and have its instance connected."
)
NO_STORES = "This Wix site has no shop. Add Wix Stores to it, and try again."


class Version(StrEnum):
    """What Wix calls its catalogues."""

    V1 = "V1_CATALOG"
    V3 = "V3_CATALOG"
    NONE = "STORES_NOT_INSTALLED"


class Wix:
    """The products of Wix shops, asked for as they are wanted; nothing of them is kept.

    What is wanted may take up to six exchanges; all together have the time of one.
    """

    def __init__(
        self, base_url: str, app_id: str, app_secret: str, timeouts: Timeouts = TIMEOUTS
    ) -> None:
        self._total = timeouts.total
        self._wire = WixWire(base_url, timeouts)
        self._access = WixAccess(self._wire, app_id, app_secret)
        self._versions: Kept[Version] = Kept()

    def shelf(self, shop: str | None, query: str, after: Position | None, limit: int) -> Shelf:
        """Return products by their names, as Wix's own search finds them."""
        shop = _connected(shop)
        with all_within(self._total):
            if self._version(shop) is Version.V3:
                return self._shelf_v3(shop, query, after, limit)
            return self._shelf_v1(shop, query, after, limit)

    def product(self, shop: str | None, product_id: str) -> Product:
        """Return one product."""
        shop = _connected(shop)
        if not GUID.fullmatch(product_id):
            raise NotFound("There is no such product.")
        with all_within(self._total):
            return self._product(shop, product_id)

    def close(self) -> None:
        """Close the idle connections."""
        self._wire.close()

    def _product(self, shop: str, product_id: str) -> Product:
        v3 = self._version(shop) is Version.V3
        path, parameters = (wix_v3 if v3 else wix_v1).product_path(product_id)
        answer = self._ask(shop, "GET", path, params=parameters)
        if answer.status == 404:
            raise NotFound("There is no such product.")
        found = _good(answer, path).get("product")
        return wix_v3.read_product(found) if v3 else wix_v1.read_product(found)

    def _shelf_v3(self, shop: str, query: str, after: Position | None, limit: int) -> Shelf:
        if isinstance(after, int):
            raise page_gone()
        path, body = wix_v3.page_request(query, after, limit)
        document = self._page(shop, path, body, after)
        found = [wix_v3.read_product(each) for each in products_of(document, limit)]
        return Shelf(openable(found), wix_v3.next_position(document))

    def _shelf_v1(self, shop: str, query: str, after: Position | None, limit: int) -> Shelf:
        if isinstance(after, str):
            raise page_gone()
        offset = after or 0
        path, body = wix_v1.page_request(query, offset, limit)
        document = self._page(shop, path, body, after)
        found = [wix_v1.read_product(each) for each in products_of(document, limit)]
        return Shelf(openable(found), wix_v1.next_position(document, offset, len(found)))

    def _page(
        self, shop: str, path: str, body: dict[str, Any], after: Position | None
    ) -> dict[str, Any]:
        answer = self._ask(shop, "POST", path, json=body)
        if answer.status == 400 and after is not None:
            raise page_gone()
        return _good(answer, path)

    def _version(self, shop: str) -> Version:
        version = self._versions.get(shop) or self._ask_version(shop)
        if version is Version.NONE:
            raise CatalogueNotConnected(NO_STORES)
        return version

    def _ask_version(self, shop: str) -> Version:
        path = "/stores/v3/provision/version"
        told = _good(self._access.ask(shop, "GET", path), path).get("catalogVersion")
        if told not in list(Version):
            raise CatalogueUnavailable("Wix: a catalogue of an unknown version")
        version = Version(str(told))
        # A shop that has no catalogue yet is looked at again: its owner is adding one.
        self._versions.put(shop, version, 0.0 if version is Version.NONE else VERSION_KEPT)
        return version

    def _ask(self, shop: str, method: str, path: str, **what: Any) -> Answer:
        answer = self._access.ask(shop, method, path, **what)
        if answer.status == WRONG_VERSION:
            self._versions.drop(shop)
            raise CatalogueUnavailable("Wix: the site has got another catalogue; it is looked up")
        return answer


def _connected(shop: str | None) -> str:
    if not shop:
        raise CatalogueNotConnected(NOT_CONNECTED)
    return shop


def _good(answer: Answer, path: str) -> dict[str, Any]:
    if answer.status != 200:
        raise CatalogueUnavailable(f"Wix, {path}: {answer.status}")
    return answer.document
