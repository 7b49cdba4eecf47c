"""Every grant of the limiter on Redis's own clock, overheard with MONITOR."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import redis

LOG = "{darkroom:limiter}:log"


@contextmanager
def overheard_grants(url: str) -> Iterator[list[float]]:
    """Collect the moments, in seconds, of all grants that are given meanwhile and kept."""
    grants: list[float] = []
    kept: dict[str, float] = {}
    with redis.Redis.from_url(url) as client, client.monitor() as monitor:

        def listen() -> None:
            for command in monitor.listen():
                words = command["command"].split()
                if words[0] == "PING" and words[-1] == "enough":
                    return
                if words[0] == "ZADD" and words[1] == LOG and len(words[3]) == 32:
                    kept[words[3]] = int(words[2]) / 1_000_000
                if words[0] == "ZREM" and words[1] == LOG:
                    kept.pop(words[2], None)

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield grants
        finally:
            client.execute_command("PING", "enough")
            listener.join(10)
            grants.extend(kept.values())


def most_in_window(moments: list[float], window: float) -> int:
    """The most moments in any span that is shorter than `window` seconds."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - window:
            first += 1
        most = max(most, last - first + 1)
    return most
