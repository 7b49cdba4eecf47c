"""The service as a shop's own program uses it: by REST, with a bearer token."""

import time
from typing import Any, cast
from urllib.parse import urljoin

import httpx

from sandbox.trouble import Trouble

FINAL = {"DONE", "FAILED", "CANCELED"}
JOBS = "/api/image-optimization/jobs"


class Service:
    """The REST API of one instance. Answers are JSON objects as they came."""

    def __init__(self, api: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=api, headers=headers, timeout=15, trust_env=False)

    def is_ready(self) -> bool:
        """Whether API, database, broker and the sweep work."""
        try:
            return self._client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def newest_job(self) -> dict[str, Any] | None:
        """The job that was submitted last, if there is one."""
        jobs = self._ask("GET", JOBS, params={"limit": 1})["jobs"]
        return jobs[0] if jobs else None

    def submit(self, order: dict[str, Any], key: str) -> dict[str, Any]:
        """Submit a job; the same key twice makes one job."""
        headers = {"Idempotency-Key": key}
        answer = self._ask("POST", "/api/image-optimization", json=order, headers=headers)
        return cast("dict[str, Any]", answer["job"])

    def job(self, job_id: int) -> dict[str, Any]:
        """A job with its items."""
        return self._ask("GET", f"{JOBS}/{job_id}")

    def address(self, url: str) -> str:
        """The whole address of a result, which is root-relative without PUBLIC_BASE_URL."""
        return urljoin(str(self._client.base_url), url)

    def _ask(self, method: str, path: str, patience: float = 30.0, **what: Any) -> dict[str, Any]:
        """Ask again while the API is being restarted; every request here may come twice."""
        deadline = time.monotonic() + patience
        while True:
            try:
                answer = self._client.request(method, path, **what)
                break
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise Trouble(f"The API does not answer ({error}).") from error
                time.sleep(0.5)
        if not answer.is_success:
            raise Trouble(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        return cast("dict[str, Any]", answer.json())
