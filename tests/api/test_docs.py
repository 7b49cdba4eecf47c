"""GET /docs: a page that works without internet and under a strict policy."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse


def fetch(app: Flask, path: str) -> TestResponse:
    return app.test_client().get(path, buffered=True)


def test_everything_the_page_names_is_here(app: Flask) -> None:
    page = fetch(app, "/docs").text

    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) == 5
    assert all(path.startswith("/") for path in named)
    assert {fetch(app, path).status_code for path in named} == {200}


def test_the_policy_forbids_what_the_page_does_not_need(app: Flask) -> None:
    answer = fetch(app, "/docs")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|<style", answer.text)


def test_the_page_asks_this_server_for_its_document(app: Flask) -> None:
    start = fetch(app, "/docs/docs.js").text

    assert 'url: "/openapi.json"' in start
    assert "validatorUrl: null" in start


@pytest.mark.parametrize("name", ["docs.html", "x.js", "../docs.py", "swagger-ui-bundle.js.map"])
def test_no_other_file_is_served(app: Flask, name: str) -> None:
    assert fetch(app, f"/docs/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/docs/docs.js", "/docs/swagger-ui.css"])
def test_a_file_that_is_not_the_one_asked_for_is_not_sent(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, headers={"If-Match": '"another"'})

    assert (answer.status_code, answer.get_json()["code"]) == (412, "precondition_failed")
