"""`pyrate-limiter` with its bucket in Redis: it takes the time of whoever asks, and waits."""

from collections.abc import Callable

import redis
from pyrate_limiter import Limiter, Rate, RedisBucket

from benchmarks.limiter.load import Load
from benchmarks.limiter.receiver import Sender


def prepare(load: Load) -> Callable[[], None]:
    rate = Rate(load.count, round(load.window * 1000))
    bucket = RedisBucket.init([rate], redis.Redis.from_url(load.url), "sends")
    assert isinstance(bucket, RedisBucket)
    limiter, sender = Limiter(bucket), Sender(load.port)

    def serve() -> None:
        while True:
            if limiter.try_acquire("send"):
                sender.send()

    return serve
