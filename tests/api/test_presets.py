"""/api/prompt-presets: prompts with their options, put by under names."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from models import presets
from tests.api.clients import Shop, open_shop

ROUTE = "/api/prompt-presets"
OPTIONS = {"aspectRatio": "1:1", "outputFormat": "jpg", "quality": 85}


def content(name: str = "Window", /, **changes: Any) -> dict[str, Any]:
    return {"name": name, "prompt": "white background", "options": OPTIONS} | changes


def send(shop: Shop, method: str, path: str, body: Any = None) -> TestResponse:
    return shop.client().open(path, method=method, json=body, headers=shop.bearer)


def names(shop: Shop) -> list[str]:
    return [each["name"] for each in shop.get(ROUTE).get_json()["presets"]]


def test_a_preset_is_added_shown_replaced_and_deleted(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")

    added = send(alice, "POST", ROUTE, content("Window"))
    send(alice, "POST", ROUTE, content("Bright", options={}))

    address = added.headers["Location"]
    preset = added.get_json()
    assert (added.status_code, address) == (201, f"{ROUTE}/{preset['id']}")
    assert preset == content("Window") | {
        name: preset[name] for name in ("id", "createdAt", "updatedAt")
    }
    listed = alice.get(ROUTE)
    assert [each["name"] for each in listed.get_json()["presets"]] == ["Bright", "Window"]
    assert alice.get(address).get_json() == preset
    tag = {"If-None-Match": listed.headers["ETag"]}
    assert alice.get(ROUTE, tag).status_code == 304

    new = content("Shelf", options={"outputFormat": "png"})
    replaced = send(alice, "PUT", address, new)

    assert replaced.status_code == 200
    assert {name: replaced.get_json()[name] for name in new} == new
    assert alice.get(ROUTE, tag).status_code == 200
    assert names(alice) == ["Bright", "Shelf"]

    deleted = send(alice, "DELETE", address)

    assert (deleted.status_code, deleted.data) == (204, b"")
    assert send(alice, "DELETE", address).status_code == 404
    assert names(alice) == ["Bright"]


def test_a_name_is_used_once(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    send(alice, "POST", ROUTE, content("Window"))
    other = send(alice, "POST", ROUTE, content("Shelf")).headers["Location"]

    answers = [
        send(alice, "POST", ROUTE, content("Window")),
        send(alice, "PUT", other, content("Window")),
    ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert {answer.get_json()["code"] for answer in answers} == {"preset_exists"}
    assert names(alice) == ["Shelf", "Window"]
    assert send(alice, "PUT", other, content("Shelf", prompt="darker")).status_code == 200
    assert send(bob, "POST", ROUTE, content("Window")).status_code == 201


def test_a_hundred_presets_are_enough(app: Flask, alice: Shop) -> None:
    with app.app_context():
        for number in range(presets.MOST_PRESETS):
            presets.add(alice.id, f"preset {number}", "brighter", {})

    answer = send(alice, "POST", ROUTE, content())

    assert (answer.status_code, answer.get_json()["code"]) == (409, "too_many_presets")
    assert len(names(alice)) == 100


def test_alices_preset_does_not_exist_for_bob(alice: Shop, bob: Shop) -> None:
    address = send(alice, "POST", ROUTE, content()).headers["Location"]

    answers = [
        bob.get(address),
        send(bob, "PUT", address, content("Bob's")),
        send(bob, "DELETE", address),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert names(bob) == []
    assert names(alice) == ["Window"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"prompt": ""}, "prompt"),
    ({"options": {"quality": 85, "outputFormat": "png"}}, "options.quality"),
    ({"options": {"model": "google/other"}}, "options.model"),
    ({"options": {"prompt": "x"}}, "options.prompt"),
    ({"options": None}, "options"),
    ({"id": 7}, "id"),
]


def test_a_preset_that_could_not_be_ordered_is_refused(alice: Shop) -> None:
    answers = [send(alice, "POST", ROUTE, content(**wrong)) for wrong, _ in WRONG]

    assert {answer.status_code for answer in answers} == {400}
    refused = [list(answer.get_json()["errors"]) for answer in answers]
    assert refused == [[field] for _, field in WRONG]
    assert names(alice) == []
