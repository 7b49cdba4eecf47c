"""The events of one stream, as the HTML standard writes them ("Server-sent events").

retry: 3000                     how long a browser waits before it connects again

id: 7-3f0a…                     the job's version, and what tells its places in the line
event: job
data: {"job": …, "items": …}    the same as GET …/jobs/<id>

: nothing new                   a sign of life

event: end                      the job is final: there is nothing more to come
data: {}
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import structlog
from flask import g, json

from api import jobs
from api.connections import Connection
from api.etags import tag_of
from api.live_watch import AWAY, Watch
from api.order_schemas import JobDetailSchema
from api.rooms import SharedRoom
from models.errors import NotFound
from models.tables import FINAL

log = structlog.get_logger(__name__)

RETRY = "retry: 3000\n\n"
HEARTBEAT = ": nothing new\n\n"
END = "event: end\ndata: {}\n\n"
SHAPE = JobDetailSchema()


class Stream:
    """Follows one job of an instance for one client: to be iterated once, and closed whatever
    happens.

    It holds a place in the `room` and a thread of its process, but no connection to the database
    while nothing changes. `known` is the id of the last event that the client has. Raises
    `StreamsFull`.
    """

    def __init__(
        self, watch: Watch, room: SharedRoom, instance_id: int, job_id: int, known: str
    ) -> None:
        self._watch = watch
        self._instance_id = instance_id
        self._job_id = job_id
        self._known = known
        self._connection = Connection()
        self._began = self._told = self._looked = time.monotonic()
        self._final = False
        with ExitStack() as stack:
            stack.enter_context(room.place(instance_id))
            self._follower = stack.enter_context(watch.following(job_id))
            stack.callback(self._log_end)
            self._held = stack.pop_all()

    def close(self) -> None:
        """Give everything back; a second time nothing happens."""
        self._held.close()

    def __iter__(self) -> Iterator[str]:
        """The events, each when it happens. A client that has seen no `end` connects again, and is
        then told what is the matter."""
        yield RETRY
        try:
            yield from self._events()
        except (*AWAY, NotFound) as error:
            log.warning("stream broken off", job=self._job_id, error=type(error).__name__)

    def _events(self) -> Iterator[str]:
        while not (self._final or self._is_over()):
            rang = self._follower.hears(self._watch.times.listen)
            text = self._news() if rang or self._looks_anyway() else ""
            if text or self._is_quiet():
                self._told = time.monotonic()
                yield text or HEARTBEAT
        if self._final:
            yield END

    def _news(self) -> str:
        """The job as it is now, if the client knows it otherwise. An application context for each
        look: what it held of the database is free again at its end."""
        self._looked = time.monotonic()
        with self._watch.app.app_context():
            g.instance = self._instance_id
            seen = jobs.look(self._job_id)
            self._follower.waits = bool(seen.line.items)
            tag = f"{seen.job.version}-{tag_of('live', *seen.versions)[:16]}"
            if tag == self._known:
                self._final = seen.job.status in FINAL
                return ""
            detail = jobs.read(self._job_id, seen.line)
            self._known, self._final = tag, detail.job.status in FINAL
            data = json.dumps(SHAPE.dump(detail.shown))
        return f"id: {tag}\nevent: job\ndata: {data}\n\n"

    def _looks_anyway(self) -> bool:
        times = self._watch.times
        pause = times.waiting if self._follower.waits else times.anyway
        return time.monotonic() - self._looked >= pause

    def _is_quiet(self) -> bool:
        return time.monotonic() - self._told >= self._watch.times.heartbeat

    def _is_over(self) -> bool:
        return (
            self._follower.over
            or self._lasted() >= self._watch.times.life
            or self._connection.has_ended()
            or not self._watch.alive()
        )

    def _lasted(self) -> float:
        return time.monotonic() - self._began

    def _log_end(self) -> None:
        """The request's own line was written when it began."""
        log.info("stream ended", job=self._job_id, seconds=round(self._lasted(), 1))
