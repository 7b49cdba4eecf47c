"""GET /healthz and /readyz: for whatever runs the containers."""

from typing import Any

from api import examples, readiness
from api.openapi import Blueprint
from api.schemas import CheckSchema, HealthSchema

blp = Blueprint("health", "", "Is it alive, can it work?", private=False)

NOT_KEPT = {"Cache-Control": "no-store"}


@blp.route("/healthz")
@blp.response(200, HealthSchema)
def show_health() -> tuple[dict[str, str], dict[str, str]]:
    """Tell that the process lives."""
    return {"status": "ok"}, NOT_KEPT


@blp.route("/readyz")
@blp.response(200, CheckSchema)
@blp.alt_response(
    503, schema=CheckSchema, description="It cannot: see checks.", example=examples.READINESS
)
def show_readiness() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Tell whether database, migrations, broker and sweep are fine."""
    checks = readiness.checks()
    ready = set(checks.values()) == {readiness.OK}
    report = {
        "status": "ok" if ready else "failed",
        "checks": checks,
        "advice": readiness.advice(checks),
    }
    return report, 200 if ready else 503, NOT_KEPT
