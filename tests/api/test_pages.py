"""The pages as files: what a browser is told of them, and that nothing else is served."""

import gc
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from api.pages import WEB

PAGES = {"/": "optimize", "/ongoing": "ongoing", "/completed": "completed", "/usage": "usage"}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sent_with_a_policy_that_trusts_nobody_else(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, buffered=True)

    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert f'data-page="{PAGES[path]}"' in answer.text
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert policy["default-src"] == "'none'"


@pytest.mark.parametrize("path", [*PAGES, "/web/js/dom.js", "/web/css/base.css"])
def test_a_browser_asks_each_time_whether_it_has_changed(app: Flask, path: str) -> None:
    client = app.test_client()
    first = client.get(path, buffered=True)

    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]}, buffered=True)

    assert "no-cache" in first.headers["Cache-Control"]
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/web/js/dom.js", "/web/favicon.svg", "/docs/docs.js"])
def test_a_file_that_nobody_reads_is_closed(app: Flask, path: str) -> None:
    client = app.test_client()
    tag = client.get(path, buffered=True).headers["ETag"]

    # A file left open is a ResourceWarning, which is an error here.
    with closed_files():
        same = client.get(path, headers={"If-None-Match": tag}).status_code
        head = client.head(path).status_code

    assert (same, head) == (304, 200)


@contextmanager
def closed_files() -> Iterator[None]:
    """Raise what is warned of as things are collected."""
    found: list[object] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda warning: found.append(warning.exc_value)
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = before
    assert found == []


def test_a_page_names_files_that_are_there_and_of_the_right_type(app: Flask) -> None:
    client = app.test_client()
    named = {
        (page.stem, address)
        for page in WEB.glob("*.html")
        for address in re.findall(r'(?:href|src)="(web/[^"]+)"', page.read_text())
    }
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

    sent = {address: client.get(f"/{address}", buffered=True) for _page, address in named}

    assert len(named) >= 15
    for address, answer in sent.items():
        assert (answer.status_code, answer.mimetype) == (200, types[address.rsplit(".")[-1]])


@pytest.mark.parametrize(
    "path",
    [
        "/web/js/../../wsgi.py",
        "/web/js/..%2f..%2fwsgi.py",
        "/web/js/%2e%2e/%2e%2e/wsgi.py",
        "/web/optimize.html",
        "/web/js/nothing.js",
        "/web/js/",
        "/optimize",
        "/ongoing/1",
    ],
)
def test_nothing_else_is_served(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, buffered=True)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_a_page_tells_of_nobody(app: Flask) -> None:
    """Its address may hold a token behind the #, and a page must not be able to pass it on."""
    answer = app.test_client().get("/", buffered=True)

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in answer.headers
