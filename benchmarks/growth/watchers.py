"""What is asked for every few seconds, by Prometheus and by operators who watch."""

from api.commands.queue_facts import Work, work
from benchmarks.growth.operation import Operation, Part
from benchmarks.growth.sides import Side


def _scrape(side: Side, _given: None) -> object:
    answer = side.app.test_client().get("/metrics")
    assert answer.status_code == 200
    return answer


def _look(side: Side, _given: None) -> object:
    with side.app.app_context():
        seen = work()
    assert isinstance(seen, Work), seen
    return seen


WATCHERS = (
    Operation("GET /metrics", Part.WATCHERS, _scrape),
    Operation("queue status", Part.WATCHERS, _look),
)
