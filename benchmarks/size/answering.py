"""The memory of the API, as started and after requests of every kind."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.servers import Servers
from benchmarks.size.containers import containers
from benchmarks.size.weighing import Weighed, weighed
from sandbox.shop import PHOTOGRAPHS
from tests.darkroom import Darkroom

# As many at once as a busy page of a busy shop.
AT_ONCE = 16
Request = tuple[str, str, int, dict[str, Any]]
"""Method, path, the status that has to come, and what else httpx is told."""

READS = (
    "/", "/ongoing", "/web/js/optimize.js", "/docs", "/openapi.json", "/healthz", "/readyz",
    "/metrics", "/api/image-optimization/jobs", "/api/image-optimization/jobs?status=DONE&limit=50",
    "/api/queue", "/api/credits", "/api/credits/entries", "/api/analytics", "/api/models",
    "/api/prompt-presets", "/api/uploads", "/api/webhook-endpoints", "/api/webhook-deliveries",
    "/api/image-optimization/batches",
)  # fmt: skip


def answered(below: Servers, rounds: int) -> list[Weighed]:
    """Weigh the API before and after so many rounds of requests of every kind."""
    below.stand_in.reset()
    with (
        containers(below, "api", "worker", "housekeeper") as running,
        running.client("requests of every kind") as client,
    ):
        before = weighed(running, "api", "started")
        (order,) = running.orders(10)
        requests = list(_requests(client, running.room, order))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda one: _send(client, one), requests * rounds))
        sent = f"after {len(requests) * rounds:,} requests"
        return before + weighed(running, "api", sent)


def _requests(client: httpx.Client, room: Darkroom, order: dict[str, Any]) -> Iterator[Request]:
    """One of every kind, pictures too: of a job that is done."""
    job = client.post("/api/image-optimization", json=order).json()["job"]["id"]
    room.wait_done(room.images())
    shown = client.get(f"/api/image-optimization/jobs/{job}").json()["items"][0]
    source, result = shown["imageUrl"], shown["optimizedImageUrl"]
    preview = client.get("/api/previews", params={"url": source}).json()["previewUrl"]
    photograph = (PHOTOGRAPHS / "astronaut.jpg").read_bytes()
    for path in READS:
        yield "GET", path, 200, {}
    yield "GET", f"/api/image-optimization/jobs/{job}", 200, {}
    yield "GET", preview, 200, {}
    yield "GET", result, 200, {}
    yield "GET", f"{result}?width=320", 200, {}
    yield "POST", "/api/uploads", 201, {"files": {"file": ("a.jpg", photograph, "image/jpeg")}}
    yield "POST", "/api/image-optimization", 201, {"json": order}
    yield "POST", "/api/image-optimization", 400, {"json": {"images": []}}
    yield "GET", "/api/image-optimization/jobs/999999", 404, {}
    yield "GET", "/api/credits", 401, {"headers": {"Authorization": "Bearer nobody"}}


def _send(client: httpx.Client, request: Request) -> None:
    method, path, status, options = request
    answer = client.request(method, path, **options)
    if answer.status_code != status:
        raise RuntimeError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
