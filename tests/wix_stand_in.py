"""A stand-in for Wix: tokens for installations of an app, and shops of both catalogues, over HTTP.

Shapes and refusals are those of Wix's own documents: docs/catalogue.md says which were read.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from tests.scripted_server import Request, Script, ScriptedServer, answer, scripted_server

APP_ID, APP_SECRET = "app-of-the-tests", "secret-of-the-app"
V1, V3, NONE = "V1_CATALOG", "V3_CATALOG", "STORES_NOT_INSTALLED"

Json = dict[str, Any]


def guid(name: str) -> str:
    """Always the same id for a name."""
    return str(uuid5(NAMESPACE_URL, name))


@dataclass
class Site:
    """A Wix site with its shop."""

    version: str = V3
    products: list[Json] = field(default_factory=list)

    def find(self, product_id: str) -> Json | None:
        """Return a product as this catalogue shows it."""
        return next((each for each in self.products if each["id"] == product_id), None)


@dataclass
class WixStandIn:
    """Sites by the id of our app's installation there. `faults` are played before anything else,
    by the path that they stand for."""

    server: ScriptedServer
    sites: dict[str, Site] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Script]] = field(default_factory=dict)
    expires_in: Any = 14_400
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def open_site(self, name: str, version: str, *names: str) -> str:
        """Open a shop with products of these names; return the app's instance id."""
        made = [product(version, each) for each in names]
        self.sites[guid(name)] = Site(version, made)
        return guid(name)

    def asked(self, path: str = "") -> list[Request]:
        """The requests that have come to a path, or to any."""
        return [each for each in self.server.requests if path in each.target]

    def respond(self, request: Request) -> Script:
        """Answer as Wix does."""
        path = urlsplit(request.target).path
        if self.faults.get(path):
            return self.faults[path].pop(0)
        body = json.loads(request.body) if request.body else {}
        if path == "/oauth2/token":
            return self._new_token(body)
        site = self.sites.get(self.tokens.get(request.headers.get("authorization", ""), ""))
        return self._in_site(site, request, path, body) if site else answer(401, {"message": "no"})

    def _new_token(self, wish: Json) -> Script:
        app = (wish["client_id"], wish["client_secret"], wish["grant_type"])
        if app != (APP_ID, APP_SECRET, "client_credentials"):
            return answer(401, {"error": "invalid_client", "error_description": str(wish)})
        if wish["instance_id"] not in self.sites:
            return answer(400, {"error": "invalid_grant"})
        token = f"OauthNG.JWS.{next(self.numbers)}"
        self.tokens[f"Bearer {token}"] = wish["instance_id"]
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        return answer(200, told)

    def _in_site(self, site: Site, request: Request, path: str, body: Json) -> Script:
        if path == "/stores/v3/provision/version":
            return answer(200, {"catalogVersion": site.version})
        if ("/v3/" in path) != (site.version == V3):
            return answer(428, {"message": "wrong catalog version"})
        if request.method == "POST":
            return _page_v3(site, path, body) if site.version == V3 else _page_v1(site, body)
        found = site.find(path.rpartition("/")[2])
        if found is None:
            return answer(404, {"message": "product not found"})
        wanted = parse_qs(urlsplit(request.target).query).get("fields", [])
        return answer(200, {"product": _with_fields(found, wanted)})


def _page_v3(site: Site, path: str, body: Json) -> Script:
    kind = "search" if path.endswith("/search") else "query"
    paging, words = body[kind]["cursorPaging"], body[kind].get("search", {})
    if "cursor" in paging and len(body[kind]) > 1:
        return answer(400, {"message": "a cursor goes on with its own search"})
    if set(words.get("fields", ["name"])) != {"name"}:
        return answer(400, {"message": "not searchable"})
    start, _, expression = paging.get("cursor", "0:" + words.get("expression", "")).partition(":")
    if not start.isdigit():
        return answer(400, {"message": "unknown cursor"})
    found = [each for each in site.products if expression.lower() in each["name"].lower()]
    end = int(start) + paging["limit"]
    cursors = {"next": f"{end}:{expression}"} if end < len(found) else {}
    shown = [_with_fields(each, body.get("fields", [])) for each in found[int(start) : end]]
    return answer(200, {"products": shown, "pagingMetadata": {"cursors": cursors}})


def _page_v1(site: Site, body: Json) -> Script:
    query = body["query"]
    if json.loads(query["sort"]) != [{"numericId": "asc"}]:
        return answer(400, {"message": "not sortable"})
    wanted = json.loads(query.get("filter", '{"name": {"$contains": ""}}'))["name"]["$contains"]
    found = [each for each in site.products if wanted.lower() in each["name"].lower()]
    start, limit = query["paging"]["offset"], query["paging"]["limit"]
    return answer(200, {"products": found[start : start + limit], "totalResults": len(found)})


def _with_fields(product: Json, fields: list[str]) -> Json:
    """What V3 leaves out unless it is asked for."""
    shown = json.loads(json.dumps(product))
    if "MEDIA_ITEMS_INFO" not in fields:
        shown.get("media", {}).pop("itemsInfo", None)
    if "CURRENCY" not in fields:
        shown.pop("currency", None)
    return dict(shown)


def product(version: str, name: str, images: int = 2) -> Json:
    """A product of a catalogue, with that many images and a video."""
    if version == V1:
        return _product_v1(name, images)
    items = [
        {
            "id": f"{name}-{n}.jpg",
            "mediaType": "IMAGE",
            "altText": f"{name}, view {n}",
            "image": {"id": f"{name}-{n}.jpg", "url": _media(name, n), "width": 9, "height": 9},
        }
        for n in range(images)
    ]
    video = {"id": "v", "mediaType": "VIDEO", "video": {"resolutions": []}}
    return {
        "id": guid(name),
        "name": name,
        "currency": "EUR",
        "actualPriceRange": {"minValue": {"amount": "24"}, "maxValue": {"amount": "30.5"}},
        "media": {"main": items[0] if items else None, "itemsInfo": {"items": [*items, video]}},
    }


def _product_v1(name: str, images: int) -> Json:
    items = [
        {
            "id": f"{name}-{n}.jpg",
            "mediaType": "image",
            "title": f"{name}, view {n}",
            "image": {"url": _media(name, n), "width": 9, "height": 9},
        }
        for n in range(images)
    ]
    return {
        "id": guid(name),
        "name": name,
        "priceData": {"currency": "EUR", "price": 30.5, "discountedPrice": 24},
        "media": {"mainMedia": items[0], "items": [*items, {"id": "v", "mediaType": "video"}]},
    }


def _media(name: str, number: int) -> str:
    return f"https://static.wixstatic.com/media/{guid(name)}-{number}.jpg"


@contextlib.contextmanager
def wix_stand_in() -> Iterator[WixStandIn]:
    """Run a stand-in for one test."""
    with scripted_server() as server:
        wix = WixStandIn(server)
        server.responder = wix.respond
        yield wix
