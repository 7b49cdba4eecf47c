"""Rules that every route and every error keeps, also those that are still to come."""

import inspect

from flask import Flask
from werkzeug.routing import Rule

from api import errors
from models import errors as domain

# Routes that need no instance's token; /metrics has one of its own.
OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/docs.js",
    "/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'):name>",
    "/results/<result_key:key>",
    "/",
    "/<any('ongoing', 'completed', 'usage'):page>",
    "/web/<any('css', 'js'):kind>/<part>",
    "/web/favicon.svg",
    "/previews/<preview_token:token>",
    "/uploads/<result_key:key>",
}


def address(app: Flask, rule: Rule) -> str:
    values = {
        "job_id": 1,
        "batch_id": 1,
        "item_id": 1,
        "endpoint_id": 1,
        "delivery_id": 1,
        "preset_id": 1,
        "upload_id": 1,
        "key": "a" * 32 + ".jpg",
        "name": "swagger-ui.css",
        "reference": "r" * 32,
        "token": f"t.{'s' * 43}",
        "product_id": "cup",
        "page": "ongoing",
        "kind": "js",
        "part": "dom.js",
    }
    with app.test_request_context():
        built = app.url_map.bind("").build(
            rule.endpoint, {name: values[name] for name in rule.arguments}
        )
    return str(built)


def test_every_route_asks_for_a_token_or_is_on_the_list(app: Flask) -> None:
    asking = {
        rule.rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if app.test_client()
        .open(address(app, rule), method=method, json={}, buffered=True)
        .status_code
        == 401
    }

    assert asking == {rule.rule for rule in app.url_map.iter_rules()} - OPEN


def test_every_route_under_api_asks_for_a_token() -> None:
    """The list above may grow, but never by one of these (the webhook has its signature)."""
    assert not any(path.startswith("/api/") for path in OPEN)


def test_every_domain_error_has_an_answer() -> None:
    known = {
        error
        for _name, error in inspect.getmembers(domain, inspect.isclass)
        if issubclass(error, domain.DomainError) and error is not domain.DomainError
    }

    assert known <= set(errors.KINDS)


def test_codes_are_stable_words_and_each_means_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in errors.KINDS.values():
        statuses.setdefault(kind.code, set()).add(kind.status)

    assert all(code.replace("_", "").islower() for code in statuses)
    assert all(len(found) == 1 for found in statuses.values())
