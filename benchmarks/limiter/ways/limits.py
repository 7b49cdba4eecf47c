"""The moving window of `limits`. It takes the time of whoever asks; who is refused asks again when
the window's oldest entry goes, as its `get_window_stats` says."""

import time
from collections.abc import Callable

from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from benchmarks.limiter.load import Load
from benchmarks.limiter.receiver import Sender


def prepare(load: Load) -> Callable[[], None]:
    limiter = MovingWindowRateLimiter(RedisStorage(load.url))
    limit = RateLimitItemPerSecond(load.count, multiples=max(1, round(load.window)))
    sender = Sender(load.port)

    def serve() -> None:
        while True:
            if limiter.hit(limit, "sends"):
                sender.send()
            else:
                left = limiter.get_window_stats(limit, "sends").reset_time - time.time()
                time.sleep(min(max(left, 0.001), load.window))

    return serve
