"""What POST /api/image-optimization refuses: with the field's path, nothing written or charged."""

import json
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from tests.api.clients import ROUTE, Shop, image, open_shop, order


def one(**changes: Any) -> dict[str, Any]:
    return order(images=[image(0, **changes)])


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in order().items() if name != key}


VALUES: list[tuple[Any, str]] = [
    ({}, "productId"),
    (without("productName"), "productName"),
    (without("images"), "images"),
    (order(more=1), "more"),
    (order(productId=1), "productId"),
    (order(productId=True), "productId"),
    (order(productId=None), "productId"),
    (order(productId=["cup"]), "productId"),
    (order(productId=""), "productId"),
    (order(productId="x" * 256), "productId"),
    (order(productName=""), "productName"),
    (order(productName="x" * 501), "productName"),
    (order(productName="a\x00b"), "productName"),
    (order(productName="\ud800"), "productName"),
    (order(images={}), "images"),
    (order(images="x"), "images"),
    (order(images=[]), "images"),
    (order(11), "images"),
    (order(images=["x"]), "images.0"),
    (order(images=[None]), "images.0"),
    (order(images=[[]]), "images.0"),
    (order(images=[image(0), image(0)]), "images.1.imageId"),
    (order(images=[image(0), image(1), image(0)]), "images.2.imageId"),
    (one(more=1), "images.0.more"),
    (one(imageId=""), "images.0.imageId"),
    (one(imageId="x" * 256), "images.0.imageId"),
    (one(imageId=7), "images.0.imageId"),
    (one(prompt=""), "images.0.prompt"),
    (one(prompt=" \t\n\u2003"), "images.0.prompt"),
    (one(prompt="x" * 2001), "images.0.prompt"),
    (one(prompt=None), "images.0.prompt"),
    (one(prompt="a\x00"), "images.0.prompt"),
    (one(prompt="\udfff"), "images.0.prompt"),
    (one(imageUrl=""), "images.0.imageUrl"),
    (one(imageUrl="shop.example/x.jpg"), "images.0.imageUrl"),
    (one(imageUrl="ftp://shop.example/x.jpg"), "images.0.imageUrl"),
    (one(imageUrl="file:///etc/passwd"), "images.0.imageUrl"),
    (one(imageUrl="javascript:alert(1)"), "images.0.imageUrl"),
    (one(imageUrl="data:image/png;base64,AA"), "images.0.imageUrl"),
    (one(imageUrl="http://"), "images.0.imageUrl"),
    (one(imageUrl="http:///x.jpg"), "images.0.imageUrl"),
    (one(imageUrl="http://?x"), "images.0.imageUrl"),
    (one(imageUrl="http://.:80/"), "images.0.imageUrl"),
    (one(imageUrl="http://a:b@shop.example/x.jpg"), "images.0.imageUrl"),
    (one(imageUrl="http://a@shop.example/x.jpg"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example\\@evil.example/"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example:65536/"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example:x/"), "images.0.imageUrl"),
    (one(imageUrl="http://[::g]/"), "images.0.imageUrl"),
    (one(imageUrl="http://[:::]/"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example/a b.jpg"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example/a\u2003b.jpg"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example/\nx"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example/x\n"), "images.0.imageUrl"),
    (one(imageUrl=" http://shop.example/x"), "images.0.imageUrl"),
    (one(imageUrl="http://shop.example/" + "x" * 2029), "images.0.imageUrl"),
    (one(aspectRatio="7:3"), "images.0.aspectRatio"),
    (one(aspectRatio=""), "images.0.aspectRatio"),
    (one(aspectRatio=None), "images.0.aspectRatio"),
    (one(aspectRatio=["1:1"]), "images.0.aspectRatio"),
    (one(outputFormat="webp"), "images.0.outputFormat"),
    (one(outputFormat="JPG"), "images.0.outputFormat"),
    (one(outputFormat=1), "images.0.outputFormat"),
]
GOOD = json.dumps(order())
BODIES: list[tuple[bytes, str]] = [
    (b"", "body"),
    (b"not json", "body"),
    (b"[]", "body"),
    (b'"text"', "body"),
    (b"null", "body"),
    (b"17", "body"),
    (b"\xff\xfe", "body"),
    (b"\xef\xbb\xbf" + raw(GOOD), "body"),
    (raw(GOOD)[:-1], "body"),
    (raw(GOOD) + b"{}", "body"),
    (raw(GOOD.replace('"cup"', "'cup'")), "body"),
    (b"[" * 200_000, "body"),
    (b'{"images":' + b"[" * 200_000, "body"),
    (b'{"images":' * 20_000, "body"),
    (b'"' + b'\\"' * 120_000, "body"),
    (raw(GOOD.replace('"cup"', "9" * 5_000)), "productId"),
    (raw(GOOD.replace('"cup"', "-" + "9" * 5_000)), "productId"),
    (raw(GOOD.replace('"cup"', "0." + "9" * 5_000)), "productId"),
    (raw(GOOD.replace('"cup"', "1e999")), "productId"),
    (raw(GOOD.replace('"cup"', "NaN")), "productId"),
    (raw(GOOD.replace('"cup"', "-Infinity")), "productId"),
    (raw(GOOD.replace('"cup"', '"a", "productId": "b"')), "productId"),
    (raw(GOOD.replace('"brighter"', '"a", "prompt": "b"')), "images.0.prompt"),
    (raw(GOOD.replace('"brighter"', '"\\u0000"')), "images.0.prompt"),
    (raw(GOOD.replace('"brighter"', '"\\ud83d"')), "images.0.prompt"),
    (raw(GOOD.replace('"brighter"', '"a\tb"')), "body"),
    (raw(GOOD.replace('"cup"', '"\ud800"')), "body"),
    (raw(GOOD.replace('"prompt"', '"prom\\u0000pt"')), "images.0.prom\N{REPLACEMENT CHARACTER}pt"),
    (raw(GOOD.replace('"prompt"', f'"{"x" * 5000}"')), "images.0." + "x" * 100),
]


@pytest.fixture(scope="module")
def alice(lasting_app: Flask) -> Shop:
    """One for all tests, because nothing may be written."""
    return open_shop(lasting_app, "alice")


@pytest.fixture(autouse=True)
def _nothing_is_written_or_charged(alice: Shop) -> Any:
    yield
    assert alice.jobs() == []
    assert alice.balance() == 15_000


@pytest.mark.parametrize(("body", "path"), VALUES, ids=lambda value: str(value)[:50])
def test_a_wrong_value_is_refused_with_its_path(alice: Shop, body: Any, path: str) -> None:
    answer = alice.send(json.dumps(body).encode())

    _assert_invalid(answer, path)


@pytest.mark.parametrize(("body", "path"), BODIES, ids=lambda value: str(value)[:50])
def test_a_body_that_is_not_json_as_it_should_be_is_refused(
    alice: Shop, body: bytes, path: str
) -> None:
    answer = alice.send(body)

    _assert_invalid(answer, path)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/ld+json"]
)
def test_another_content_type_is_refused(alice: Shop, content_type: str) -> None:
    answer = alice.send(raw(GOOD), content_type)

    assert (answer.status_code, answer.get_json()["code"]) == (415, "not_json")


def test_a_compressed_body_is_refused(alice: Shop) -> None:
    answer = alice.post(order(), {"Content-Encoding": "gzip"})

    assert answer.status_code == 415


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(0, 400), (1, 413), (100_000, 413)])
def test_a_body_that_is_too_large_is_refused(
    alice: Shop, chunked: bool, size: int, status: int
) -> None:
    body = b" " * (256 * 1024 + size)
    said = {"wsgi.input_terminated": True} if chunked else {"CONTENT_LENGTH": str(len(body))}

    answer = alice.client().post(
        ROUTE,
        input_stream=BytesIO(body),
        content_type="application/json",
        headers=alice.bearer,
        environ_overrides=said,
    )

    assert answer.status_code == status, answer.text


def test_a_query_is_refused(alice: Shop) -> None:
    answer = alice.client().post(f"{ROUTE}?dryRun=1", json=order(), headers=alice.bearer)

    _assert_invalid(answer, "dryRun")


def test_all_faults_are_told_at_once_but_not_without_end(alice: Shop) -> None:
    several = alice.post(one(prompt="", aspectRatio="x") | {"productId": ""})
    endless = alice.post({f"field{n}": n for n in range(5000)})

    assert set(several.get_json()["errors"]) == {
        "productId",
        "images.0.prompt",
        "images.0.aspectRatio",
    }
    assert len(endless.get_json()["errors"]) == 100


def test_very_many_images_are_refused_quickly(alice: Shop) -> None:
    answer = alice.send(b'{"images":[' + b"{}," * 80_000 + b"{}]}")

    errors = answer.get_json()["errors"]
    assert errors["images"] == ["Must hold at most 10, and holds 80001."]


def _assert_invalid(answer: Any, path: str) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["code"] == "invalid_input"
    assert path in problem["errors"]
    assert all(isinstance(m, str) for messages in problem["errors"].values() for m in messages)
