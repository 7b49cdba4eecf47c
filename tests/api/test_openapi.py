"""GET /openapi.json: what it says is true."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from flask import Flask
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished
from sqlalchemy import insert
from werkzeug.serving import WSGIRequestHandler, make_server

from api import current
from api.fields import NO_UPLOAD
from api.live_watch import Times, Watch
from config.settings import Settings
from models.clock import from_now
from models.database import db
from models.tables import Heartbeat
from tasks.source_pictures import SourcePictures
from tests.api.clients import Shop, open_shop, order
from tests.api.conftest import serving


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """The document of a server."""
    found: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "delete", "patch"}
    }


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_route_and_every_answer_of_it_is_told(document: dict[str, Any]) -> None:
    told = {name: set(operation["responses"]) for name, operation in operations(document).items()}

    everywhere = {"400", "405", "413", "500"}
    private = everywhere | {"401", "429", "503"}
    assert told == {
        "POST /api/image-optimization": private | {"201", "402", "409", "415", "422"},
        "GET /api/image-optimization/jobs": private | {"200", "304"},
        "GET /api/image-optimization/jobs/{job_id}": private | {"200", "304", "404"},
        "GET /api/image-optimization/jobs/{job_id}/events": private | {"200", "404"},
        "GET /api/queue": private | {"200", "304"},
        "POST /api/image-optimization/jobs/{job_id}/cancel": private | {"200", "202", "404", "409"},
        "POST /api/image-optimization/jobs/{job_id}/items/{item_id}/cancel": private
        | {"200", "202", "404", "409"},
        "POST /api/image-optimization/jobs/{job_id}/retry": private
        | {"201", "402", "404", "409", "422"},
        "POST /api/image-optimization/batch": private | {"201", "402", "409", "413", "415", "422"},
        "GET /api/image-optimization/batches": private | {"200", "304"},
        "GET /api/image-optimization/batches/{batch_id}": private | {"200", "304", "404"},
        "GET /api/products": private | {"200", "304", "409"},
        "GET /api/products/{product_id}": private | {"200", "304", "404", "409"},
        "GET /api/credits": private | {"200", "304"},
        "GET /api/credits/entries": private | {"200", "304"},
        "GET /api/analytics": private | {"200", "304"},
        "GET /api/analytics.csv": private | {"200", "304"},
        "GET /api/models": private | {"200", "304"},
        "GET /api/prompt-presets": private | {"200", "304"},
        "POST /api/prompt-presets": private | {"201", "409", "415"},
        "GET /api/prompt-presets/{preset_id}": private | {"200", "304", "404"},
        "PUT /api/prompt-presets/{preset_id}": private | {"200", "404", "409", "415"},
        "DELETE /api/prompt-presets/{preset_id}": private | {"204", "404"},
        "POST /api/webhooks/replicate/{reference}": everywhere
        | {"204", "401", "404", "413", "503"},
        "GET /api/webhook-endpoints": private | {"200", "304"},
        "POST /api/webhook-endpoints": private | {"201", "409", "415"},
        "GET /api/webhook-endpoints/{endpoint_id}": private | {"200", "304", "404"},
        "PATCH /api/webhook-endpoints/{endpoint_id}": private | {"200", "404", "415"},
        "DELETE /api/webhook-endpoints/{endpoint_id}": private | {"204", "404"},
        "POST /api/webhook-endpoints/{endpoint_id}/rotate-secret": private | {"200", "404"},
        "POST /api/webhook-endpoints/{endpoint_id}/test": private | {"202", "404", "409"},
        "GET /api/webhook-deliveries": private | {"200", "304"},
        "GET /api/webhook-deliveries/{delivery_id}": private | {"200", "304", "404"},
        "POST /api/webhook-deliveries/{delivery_id}/resend": private | {"202", "404", "409"},
        "GET /results/{key}": everywhere | {"200", "206", "302", "304", "404", "412", "416", "503"},
        "POST /api/uploads": private | {"201", "408", "415"},
        "GET /api/uploads": private | {"200", "304"},
        "GET /api/uploads/{upload_id}": private | {"200", "304", "404"},
        "DELETE /api/uploads/{upload_id}": private | {"204", "404", "409"},
        "GET /uploads/{key}": everywhere | {"200", "206", "302", "304", "404", "412", "416", "503"},
        "GET /api/previews": private | {"200", "304"},
        "GET /previews/{token}": everywhere | {"200", "304", "404", "412", "503"},
        "GET /healthz": everywhere | {"200"},
        "GET /readyz": everywhere | {"200", "503"},
        "GET /metrics": everywhere | {"200", "401", "503"},
        "GET /openapi.json": everywhere | {"200"},
        "GET /docs": everywhere | {"200"},
    }


def test_errors_are_problems_and_nothing_else(document: dict[str, Any]) -> None:
    for name, response in document["components"]["responses"].items():
        if name != "NOT_MODIFIED":
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["examples"]
    assert "Error" not in document["components"]["schemas"]


def test_the_token_is_asked_for_where_it_is_needed(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        private = " /api/" in name and "/webhooks/" not in name
        scheme = "instance" if private else "metrics" if "/metrics" in name else None
        assert operation.get("security") == ([{scheme: []}] if scheme else None)
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer"}


def test_the_example_of_an_order_is_an_order(document: dict[str, Any], alice: Shop) -> None:
    body = document["paths"]["/api/image-optimization"]["post"]["requestBody"]

    answer = alice.post(body["content"]["application/json"]["example"])

    assert answer.status_code == 201


def test_a_query_is_refused(app: Flask) -> None:
    assert app.test_client().get("/openapi.json?x=1").status_code == 400


@pytest.mark.lengthy
# Beside three other tests it may get a fifth of a processor.
@pytest.mark.timeout(400)
def test_schemathesis_finds_nothing(settings: Settings, redis_url: str) -> None:
    settings = replace(
        settings, credits_per_image=1, metrics_token="metrics-token", redis_url=redis_url
    )
    with serving(settings) as app, listening(app) as address:
        parts = app.extensions[current.KEY]
        parts.sources = SourcePictures(settings, lookup=nobody_is_known)
        # Nobody waits for the end of a job that stays as it is.
        parts.watch = Watch(app, Times(look=0.05, life=0.1, listen=0.05))
        alice = open_shop(app, "alice", credits=10**9)
        alice.post(order())
        # However long it takes, the last sweep does not get too old for /readyz.
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(insert(Heartbeat).values(name="sweep", at=from_now(3600)))
        scraper = {"Authorization": "Bearer metrics-token"}
        config = SchemathesisConfig.from_dict(
            {
                "seed": 1,
                "headers": alice.bearer,
                "generation": {"max-examples": 3},
                "phases": {"stateful": {"generation": {"max-examples": 1}}},
                "operations": [{"include-path": "/metrics", "headers": scraper}],
            }
        )
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json", config=config)
        schema.hook(filter_failure)

        events = list(from_schema(schema).execute())

    assert [finding for event in events for finding in findings(event)] == []
    assert sum(isinstance(event, ScenarioFinished) for event in events) > 20


def nobody_is_known(_host: str, _port: int) -> list[str]:
    """No test asks a host outside of this machine."""
    return []


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    """The address of a server; in-process, the engine fails on an argument of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(WSGIRequestHandler):
    """The API logs its requests itself."""

    def log_request(self, *_args: object) -> None:
        """Log nothing."""


UNSAYABLE = re.compile(
    r"cursor|download|file|from|to|(jobs\.\d+\.)?images\.\d\.imageId"
    r"|((jobs\.\d+\.)?images\.\d|options)\.(model|aspectRatio|resolution|quality)"
)


def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """JSON Schema cannot say that the image ids of a job differ, that a cursor must be one of ours,
    that a result is scaled or saved, which model takes what, what a picture is, which uploads there
    are, which days follow which, and that a key goes with one body: refusing that is right."""
    if failure.title != "Schema-valid request rejected":
        return True
    problem = response.json()
    paths = problem.get("errors", {})
    return not (
        problem["code"] == "idempotency_key_reused"
        or (paths and all(UNSAYABLE.fullmatch(p) or t == [NO_UPLOAD] for p, t in paths.items()))
    )


def findings(event: EngineEvent) -> list[str]:
    """What the checks found, and what kept them from checking."""
    if isinstance(event, NonFatalError):
        return [str(event.value)]
    if isinstance(event, FatalError):
        return [str(event.exception)]
    if not isinstance(event, ScenarioFinished):
        return []
    return [
        f"{event.label}: {check.failure_info.failure} {check.failure_info.code_sample}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.failure_info
    ]
