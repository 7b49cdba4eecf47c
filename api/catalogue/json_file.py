"""A catalogue in a JSON file, for a single shop or the sandbox: every instance sees the same."""

import codecs
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from api import strict_json
from api.catalogue.errors import CatalogueUnavailable, page_gone
from api.catalogue.interface import Position, Product, ProductImage, Shelf
from api.fields import Few, Prompt, Text
from api.problems import InvalidInput
from api.schemas import Shape
from models.errors import NotFound

# 10,000 products of one image each are 1.5 MB and take a second of a processor to read.
LARGEST_FILE = 8 * 2**20
MOST_PRODUCTS = 10_000
# So long those wait who come while the file is read for the first time.
PATIENCE = 5.0
# What can stand as one part of an address: a dot or two would be taken for a folder.
PRODUCT_ID = r"^(?!\.\.?\Z)[^/\x00-\x1f\x7f]{1,255}\Z"

Stamp = tuple[int, int, int]


class ImageInFile(Shape):
    """One image; without `alt` the product's name says what is on it."""

    id = Text(255, required=True)
    url = Text(8192, required=True)
    alt = Text(500)


class ProductInFile(Shape):
    """One product."""

    id = fields.String(required=True, validate=validate.Regexp(PRODUCT_ID))
    name = Prompt(500, required=True)
    price = fields.String(
        validate=validate.Regexp(r"^[0-9]{1,12}(\.[0-9]{1,4})?\Z", error='Must be like "24.00".')
    )
    currency = fields.String(
        validate=validate.Regexp(r"^[A-Z]{3}\Z", error="Must be an ISO 4217 code like EUR.")
    )
    images = fields.List(fields.Nested(ImageInFile), required=True)

    @validates_schema
    def _refuse_twins(self, data: dict[str, Any], **_: Any) -> None:
        _refuse_same_ids([image["id"] for image in data["images"]], "images")

    @post_load
    def _to_product(self, data: dict[str, Any], **_: Any) -> Product:
        images = (ProductImage(**{"alt": data["name"]} | image) for image in data["images"])
        return Product(**data | {"images": tuple(images)})


class FileContent(Shape):
    """All of the file."""

    products = Few(fields.Nested(ProductInFile), MOST_PRODUCTS, least=0, required=True)

    @validates_schema
    def _refuse_twins(self, data: dict[str, Any], **_: Any) -> None:
        _refuse_same_ids([product.id for product in data["products"]], "products")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the file held when its stamp was this: products in its order, or what is wrong."""

    stamp: Stamp
    products: dict[str, Product]
    fault: str = ""


class JsonFile:
    """Reads the file again whenever it changes, and refuses one that is not wholly right: half a
    catalogue would look like the shop's own doing.

    One thread reads it at a time. The others go on with what was read last; where nothing was, they
    wait for so many seconds of `patience`.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._reader = threading.Lock()
        self._reading: Reading | None = None

    def shelf(self, shop: str | None, query: str, after: Position | None, limit: int) -> Shelf:  # noqa: ARG002
        """Return products by their names, in the file's order."""
        if isinstance(after, str):
            raise page_gone()
        products = self._products().values()
        found = [product for product in products if query.casefold() in product.name.casefold()]
        start = after or 0
        end = start + limit
        return Shelf(tuple(found[start:end]), end if end < len(found) else None)

    def product(self, shop: str | None, product_id: str) -> Product:  # noqa: ARG002
        """Return one product."""
        found = self._products().get(product_id)
        if found is None:
            raise NotFound("There is no such product.")
        return found

    def _products(self) -> dict[str, Product]:
        try:
            reading = self._current()
        except OSError as error:
            raise CatalogueUnavailable(f"{self._path.name}: {error.strerror}") from error
        if reading is None:
            raise CatalogueUnavailable(f"{self._path.name}: is still being read")
        if reading.fault:
            raise CatalogueUnavailable(f"{self._path.name}: {reading.fault}")
        return reading.products

    def _current(self) -> Reading | None:
        """What the file holds; while another thread reads it, what it held, if that is known."""
        known = self._reading
        if known and known.stamp == _stamp(self._path.stat()):
            return known
        with self._turn(0.0 if known else self._patience) as mine:
            # Whoever had the turn before may have read it.
            if mine and self._reading is known:
                self._reading = self._read()
        return self._reading

    @contextmanager
    def _turn(self, patience: float) -> Iterator[bool]:
        """Be the one who reads; tells whether that came true in time."""
        mine = self._reader.acquire(timeout=patience)
        try:
            yield mine
        finally:
            if mine:
                self._reader.release()

    def _read(self) -> Reading:
        with self._path.open("rb") as file:
            stamp, content = _stamp(os.fstat(file.fileno())), file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            return Reading(stamp, {}, f"is larger than {LARGEST_FILE} bytes")
        try:
            # Some editors write UTF-8's byte order mark.
            document = strict_json.parse(content.removeprefix(codecs.BOM_UTF8))
            products = FileContent().load(document)["products"]
        except InvalidInput as error:
            return Reading(stamp, {}, _in_one_line(error.errors))
        except ValidationError as error:
            return Reading(stamp, {}, _in_one_line(error.messages))
        return Reading(stamp, {product.id: product for product in products})


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _in_one_line(errors: object) -> str:
    """What is wrong where, but not all of a file in which everything is."""
    return json.dumps(errors)[:500]


def _refuse_same_ids(ids: list[str], where: str) -> None:
    first: dict[str, int] = {}
    twins = [n for n, each in enumerate(ids) if first.setdefault(each, n) != n]
    if twins:
        raise ValidationError({where: {n: {"id": ["Came before."]} for n in twins}})
