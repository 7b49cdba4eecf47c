"""Waiting for what was started, while looking whether it still lives."""

import time
from collections.abc import Callable

import redis

from sandbox.service import Service
from sandbox.supervisor import Supervisor

VALKEY_PATIENCE = 20.0
# The API answers within seconds; the first sweep, which readiness includes, comes a little later.
SERVICE_PATIENCE = 120.0


def wait_for_valkey(supervisor: Supervisor, url: str) -> None:
    """Return when the broker answers."""
    with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
        wait(supervisor, lambda: _answers(client), "valkey", VALKEY_PATIENCE)


def wait_for_service(supervisor: Supervisor, service: Service) -> None:
    """Return when `/readyz` says that database, broker, migrations and the sweep are fine."""
    wait(supervisor, service.is_ready, "api", SERVICE_PATIENCE)


def wait(supervisor: Supervisor, is_ready: Callable[[], bool], name: str, patience: float) -> None:
    """Raise `Trouble` with the end of `name`'s log after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not is_ready():
        supervisor.check()
        if time.monotonic() > deadline:
            raise supervisor.trouble(name, f"is not ready after {patience:.0f} s")
        time.sleep(0.2)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:  # refused, or still loading its data
        return False
