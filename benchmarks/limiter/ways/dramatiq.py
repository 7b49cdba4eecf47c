"""dramatiq's window, which counts whole seconds of whoever asks. It does not say for how long to
wait: who is refused asks again after a while, as its messages are retried."""

import random
import time
from collections.abc import Callable

from dramatiq.rate_limits import WindowRateLimiter
from dramatiq.rate_limits.backends import RedisBackend

from benchmarks.limiter.load import Load
from benchmarks.limiter.receiver import Sender

ASK_AGAIN = 0.05  # seconds, give or take half


def prepare(load: Load) -> Callable[[], None]:
    backend = RedisBackend(url=load.url)
    window = max(1, round(load.window))
    limiter = WindowRateLimiter(  # type: ignore[no-untyped-call]
        backend, "sends", limit=load.count, window=window
    )
    sender = Sender(load.port)

    def serve() -> None:
        while True:
            with limiter.acquire(raise_on_failure=False) as acquired:
                if acquired:
                    sender.send()
            if not acquired:
                time.sleep(ASK_AGAIN * random.uniform(0.5, 1.5))

    return serve
