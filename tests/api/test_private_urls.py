"""POST /api/image-optimization refuses images in private networks, however they are written."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import Flask

from config.settings import Settings
from tests.api.clients import Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.unit.test_addresses import PRIVATE, PUBLIC


def in_url(host: str) -> str:
    return f"http://[{host}]/a.jpg" if ":" in host else f"http://{host}/a.jpg"


def one(url: str) -> dict[str, Any]:
    return order(images=[image(0, imageUrl=url)])


def all_refused(shop: Shop, urls: list[str]) -> None:
    for url in urls:
        answer = shop.post(one(url))
        assert answer.status_code == 400, url
        assert set(answer.get_json()["errors"]) == {"images.0.imageUrl"}
        assert answer.get_json()["code"] == "invalid_input"
    assert shop.jobs() == []
    assert shop.balance() == 15_000


def test_every_notation_of_a_private_host_is_refused(alice: Shop) -> None:
    all_refused(alice, [in_url(host) for host in PRIVATE])


def test_what_stands_around_the_host_changes_nothing(alice: Shop) -> None:
    around = [
        "HTTP://{}/a.jpg", "https://{}:443/a.jpg", "http://{}:8080", "http://{}?a=b", "http://{}#x",
        "http://{}/https://shop.example/a.jpg", "http://{}./a.jpg", "http://{}:80/a@shop.example",
        "http://shop.example@{}/", "http://shop.example:80@{}/", "http://{}\\@shop.example/",
        "http://\t{}/", "http:{}/", "http:///{}/", "//{}/", "http:/\\{}/", "http://%00{}/",
        "http://{}%2f@shop.example/", "http://{}%23@shop.example/", "http://{}%00.shop.example/",
    ]  # fmt: skip

    all_refused(alice, [form.format("127.0.0.1") for form in around])


def test_percent_signs_in_a_host_are_refused(alice: Shop) -> None:
    hosts = [quote(host) for host in PRIVATE if "%" in quote(host)]
    hosts += ["".join(f"%{ord(c):02x}" for c in "127.0.0.1"), "127%2e0%2e0%2e1", "127.0.0.%31"]

    all_refused(alice, [f"http://{host}/" for host in hosts])


def test_public_hosts_are_taken_without_being_looked_up(alice: Shop) -> None:
    for host in PUBLIC:
        assert alice.post(one(in_url(host))).status_code == 201, host


def test_only_a_setting_allows_private_hosts(settings: Settings) -> None:
    with serving(replace(settings, allow_private_image_urls=True)) as app:
        alice = open_shop(app, "alice")

        answers = [alice.post(one(url)) for url in ("http://127.0.0.1:8001/a.jpg", "http://nas/a")]

    assert [answer.status_code for answer in answers] == [201, 201]


def test_each_image_is_told_of(app: Flask, alice: Shop) -> None:
    urls = ["https://shop.example/a", "http://10.0.0.1/b", "http://localhost/c"]

    answer = alice.post(order(images=[image(n, imageUrl=url) for n, url in enumerate(urls)]))

    assert set(answer.get_json()["errors"]) == {"images.1.imageUrl", "images.2.imageUrl"}
