"""Whatever is sent, nothing breaks, and what is refused has written nothing."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import pytest
from werkzeug.test import TestResponse

from api.live_watch import Times
from config.forms import RateLimit
from config.settings import Settings
from tests.api.catalogues import cup, written
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.api.conftest import serving
from tests.api.fuzz import Fuzz, Request
from tests.api.streams import hurry

SCRAPER = "metrics-token"


@pytest.fixture
def roomy(settings: Settings, tmp_path: Path) -> Settings:
    """Settings under which nothing is refused for its number, and products are found."""
    limit = RateLimit(999_999, 60.0)
    file = written(tmp_path / "products.json", *(cup(n, id=str(n)) for n in range(9)))
    return replace(
        settings, metrics_token=SCRAPER, api_rate_limit=limit, catalogue_url=file.as_uri()
    )


class Watch:
    """Tells whether another connection has committed anything to a SQLite file since last asked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._seen = self._version()

    def something_written(self) -> bool:
        """Ask and remember."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def _version(self) -> int:
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)


def test_a_thousand_fuzzed_requests_break_nothing(roomy: Settings) -> None:
    outcomes = fuzz(roomy, seed=20_260, times=1_000)

    # It is no test if everything is refused, or refused for the same reason.
    assert outcomes[201] >= 50
    assert outcomes[200] >= 50
    assert {400, 401, 404, 405, 413, 415} <= set(outcomes)


@pytest.mark.soak
def test_ten_thousand_fuzzed_requests_break_nothing(roomy: Settings) -> None:
    outcomes = fuzz(roomy, seed=SystemRandom().randrange(10**9), times=10_000)

    assert outcomes[201] >= 500


def fuzz(settings: Settings, seed: int, times: int) -> Counter[int]:
    """Send so many requests; return how often each status was the answer."""
    print(f"fuzzing with seed {seed}")
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    outcomes: Counter[int] = Counter()
    with serving(settings) as app, closing(sqlite3.connect(file)) as connection:
        # Nobody waits for the end of a job that stays as it is.
        hurry(app, Times(look=0.05, life=0.1, listen=0.05))
        alice = furnished(open_shop(app, "alice", credits=10**9))
        bob = open_shop(app, "bob", credits=20)
        watch = Watch(connection)
        requests = Fuzz(app, seed, tokens(alice, bob))
        for number in range(times):
            request = requests.request()
            answer = request.send(app.test_client())
            check(answer, request, watch.something_written(), f"seed {seed}, request {number}")
            outcomes[answer.status_code] += 1
    return outcomes


def furnished(shop: Shop) -> Shop:
    """A shop with two jobs, whose monthly credits are booked."""
    shop.balance()
    for _ in range(2):
        shop.post(order(2))
    assert shop.get(JOBS).status_code == 200
    return shop


def tokens(alice: Shop, bob: Shop) -> dict[str, int]:
    """What may stand in Authorization, and how often of 20."""
    return {
        f"Bearer {alice.token}": 14,
        f"Bearer {bob.token}": 1,
        f"Bearer {SCRAPER}": 1,
        f"Bearer {alice.token}x": 1,
        f"Basic {alice.token}": 1,
        "Bearer \xff": 1,
        "": 1,
    }


def check(answer: TestResponse, request: Request, written: bool, which: str) -> None:
    """What holds for every answer."""
    told = f"{which}: {request!r:.2000} was answered by {answer.status_code} {answer.text:.500}"
    not_ready = request.path == "/readyz" and answer.status_code == 503
    assert answer.status_code < 500 or not_ready, told
    assert answer.headers["X-Content-Type-Options"] == "nosniff", told
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"], told
    if answer.status_code >= 400:
        assert not written, told
        assert not_ready or request.method == "HEAD" or is_problem(answer), told
    if answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers:
        assert written, told


def is_problem(answer: TestResponse) -> bool:
    """Whether it says in the agreed way what is wrong."""
    problem = answer.get_json(silent=True)
    return (
        answer.content_type == "application/problem+json"
        and isinstance(problem, dict)
        and problem["status"] == answer.status_code
        and problem["requestId"] == answer.headers["X-Request-Id"]
        and bool(problem["code"])
        and "Traceback" not in answer.text
    )
