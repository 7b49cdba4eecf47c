"""The products' JSON file: whatever is wrong with it, the log alone is told what."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from config.settings import Settings
from tests.api.catalogues import PRODUCTS, cup, names, on_file, refused, written
from tests.api.clients import Shop
from tests.logs import production_logs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "the products.json"


@pytest.fixture
def app(settings: Settings, file: Path) -> Iterator[Flask]:
    with on_file(settings, file) as app:
        yield app


BROKEN: list[tuple[Any, str]] = [
    ("", "Not JSON"),
    ("[]", "Must be a JSON object"),
    ('{"products": [], "products": []}', "products"),
    ({}, "products"),
    ({"products": {}}, "products"),
    ({"products": [cup(), cup()]}, '"1"'),
    ({"products": [cup(more=1)]}, "more"),
    ({"products": [cup(), cup(1, id="")]}, '"1": {"id"'),
    ({"products": [cup(id="a/b")]}, '"id"'),
    ({"products": [cup(id="..")]}, '"id"'),
    ({"products": [cup(id="cup\n")]}, '"id"'),
    ({"products": [cup(id=7)]}, '"id"'),
    ({"products": [cup(name=" ")]}, '"name"'),
    ({"products": [cup(price=24)]}, '"price"'),
    ({"products": [cup(price="24,00")]}, '"price"'),
    ({"products": [cup(price="24\n")]}, '"price"'),
    ({"products": [cup(currency="euro")]}, '"currency"'),
    ({"products": [{"id": "cup", "name": "cup"}]}, '"images"'),
    ({"products": [cup(images=0) | {"images": [{"id": "a"}]}]}, '"url"'),
    ({"products": [cup(images=0) | {"images": [cup()["images"][0]] * 2}]}, "Came before"),
]


@pytest.mark.parametrize(("content", "where"), BROKEN)
def test_a_broken_file_is_told_to_the_log_alone(
    alice: Shop, file: Path, content: Any, where: str
) -> None:
    file.write_text(content if isinstance(content, str) else json.dumps(content))

    with production_logs() as logs:
        answer = alice.get(PRODUCTS)

    assert (answer.status_code, answer.get_json()["code"]) == (503, "catalogue_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert file.name not in answer.text
    (warning,) = logs.lines(event="request failed")
    assert file.name in warning["error"]
    assert where in warning["error"]


def test_a_file_that_is_missing_may_come_back(alice: Shop, file: Path) -> None:
    missing = refused(alice, PRODUCTS)
    written(file, cup(1))
    there = names(alice)
    file.unlink()

    assert missing == refused(alice, PRODUCTS) == (503, "catalogue_unavailable")
    assert there == ["The cup 1"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b" " * (8 * 2**20 + 1), "is larger than 8388608 bytes"),
        (b'{"products": [%s]}' % b",".join([b"0"] * 10_001), "at most 10000, and holds 10001"),
    ],
    ids=["bytes", "products"],
)
def test_the_log_says_which_bound_a_file_is_beyond(
    alice: Shop, file: Path, content: bytes, why: str
) -> None:
    file.write_bytes(content)

    with production_logs() as logs:
        answer = refused(alice, PRODUCTS)

    assert answer == (503, "catalogue_unavailable")
    assert [why in line["error"] for line in logs.lines(event="request failed")] == [True]


def test_a_file_is_read_again_although_its_size_stayed(alice: Shop, file: Path) -> None:
    written(file, cup(1, name="red"))
    assert names(alice) == ["red"]

    os.utime(written(file, cup(1, name="tan")), ns=(1, 1))

    assert names(alice) == ["tan"]


def test_a_file_may_begin_with_a_byte_order_mark(alice: Shop, file: Path) -> None:
    file.write_text(written(file, cup(1)).read_text(), encoding="utf-8-sig")

    assert names(alice) == ["The cup 1"]


def test_an_empty_catalogue_is_one_too(alice: Shop, file: Path) -> None:
    written(file)

    assert names(alice) == []


def test_every_instance_sees_the_same_file(alice: Shop, bob: Shop, file: Path) -> None:
    written(file, cup(1))

    assert names(alice) == names(bob) == ["The cup 1"]
