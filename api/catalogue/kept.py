"""Values that are kept for some seconds: few of them, and by many threads."""

import threading
import time
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values kept last, `most` of them at most. What was put under a name replaces what was
    there; what is too old is gone."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float, Value]] = {}

    def put(self, name: str, value: Value, seconds: float) -> None:
        """Keep a value for so long; for no time at all, not even that of a second look."""
        with self._lock:
            self._values.pop(name, None)
            self._values[name] = (time.monotonic() + seconds, value)
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]

    def get(self, name: str) -> Value | None:
        """Return the value, if it is still kept."""
        with self._lock:
            until, value = self._values.get(name, (0.0, None))
            return value if time.monotonic() < until else None

    def drop(self, name: str, value: Value | None = None) -> None:
        """Forget what is kept. Given a `value`, only that very one: what another thread has put in
        its place in the meantime stays."""
        with self._lock:
            if value is None or self._values.get(name, (0.0, None))[1] == value:
                self._values.pop(name, None)
