"""The predictions that the stand-in knows, as Replicate's API shows them."""

import asyncio
import secrets
import string
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.replicate.knobs import Outcome

PAGE = 100
MOST = 50_000
ENDED = frozenset({"succeeded", "failed", "canceled", "aborted"})
ALPHABET = string.ascii_lowercase + string.digits


@dataclass(eq=False)
class Prediction:
    """One prediction; times are seconds of the wall clock, the creation's
    in whole microseconds, as it is shown and compared; `base` is the API's root URL.

    `size` is the length of the request that made it, in bytes.
    """

    base: str
    model: str
    input: dict[str, Any]
    webhook: str | None
    events: tuple[str, ...]
    cancel_after: float | None
    outcome: Outcome
    size: int
    id: str = field(default_factory=lambda: random_id(26))
    number: int = 0
    status: str = "starting"
    output: str | None = None
    error: str | None = None
    logs: str = ""
    created: float = field(default_factory=lambda: round(time.time(), 6))
    started: float | None = None
    completed: float | None = None
    data_removed: bool = False
    shown: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    @property
    def ended(self) -> bool:
        """Tell whether its status is final."""
        return self.status in ENDED

    def start(self) -> None:
        """Begin to process."""
        self.status, self.started = "processing", time.time()
        self.logs += "This prediction was made by a stand-in for Replicate.\n"

    def end(self, status: str, error: str | None = None) -> bool:
        """Take a final status; False where it has one already."""
        if self.ended:
            return False
        self.status, self.error, self.completed = status, error, time.time()
        self.shown.set()
        return True

    def remove_data(self) -> None:
        """Forget what Replicate deletes after an hour."""
        self.input, self.output, self.logs, self.data_removed = {}, None, "", True

    def document(self) -> dict[str, Any]:
        """Return what the API shows."""
        document: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "version": "hidden",
            "input": self.input,
            "output": self.output,
            "logs": self.logs,
            "error": self.error,
            "status": self.status,
            "source": "api",
            "data_removed": self.data_removed,
            "created_at": rfc3339(self.created),
        }
        return document | self._times() | {"urls": self._urls()}

    def _times(self) -> dict[str, Any]:
        times: dict[str, Any] = {}
        if self.started:
            times["started_at"] = rfc3339(self.started)
        if self.completed:
            times["completed_at"] = rfc3339(self.completed)
            spent = self.completed - (self.started or self.completed)
            times["metrics"] = {"predict_time": spent, "total_time": self.completed - self.created}
        return times

    def _urls(self) -> dict[str, str]:
        get = f"{self.base}/v1/predictions/{self.id}"
        return {
            "get": get,
            "cancel": f"{get}/cancel",
            "stream": f"{get}/stream",
            "web": f"{self.base}/p/{self.id}",
        }


class Predictions:
    """All predictions in the order of their creation, the oldest dropped beyond `MOST`.

    `size` is what their inputs take, in bytes; `forget` removes a prediction's output file.
    """

    def __init__(self, forget: Callable[[Prediction], None]) -> None:
        self._all: dict[str, Prediction] = {}
        self._ended: deque[Prediction] = deque()
        self._forget = forget
        self.newest = 0
        self.size = 0

    def add(self, prediction: Prediction) -> None:
        """Keep a new prediction; they are numbered from 1."""
        self.newest += 1
        prediction.number = self.newest
        self._all[prediction.id] = prediction
        self.size += prediction.size
        if len(self._all) > MOST:
            self._drop(next(iter(self._all.values())))

    def get(self, id: str) -> Prediction | None:
        """Return the prediction, if it is known."""
        return self._all.get(id)

    def ended(self, prediction: Prediction) -> None:
        """Begin to count the time until its data is removed."""
        self._ended.append(prediction)
        if len(self._ended) > MOST:
            self.remove_oldest_data()

    def remove_old_data(self, retention: float) -> None:
        """Remove the data of what ended more than `retention` seconds ago."""
        before = time.time() - retention
        while self._ended and (self._ended[0].completed or 0) <= before:
            self.remove_oldest_data()

    def remove_oldest_data(self) -> bool:
        """Remove the data of what ended first; False where there is none."""
        if not self._ended:
            return False
        self._clear(self._ended.popleft())
        return True

    def newest_first(self, before: int | None) -> Iterator[Prediction]:
        """Yield all predictions, or those whose number is below `before`."""
        for prediction in reversed(self._all.values()):
            if before is None or prediction.number < before:
                yield prediction

    def stop_all(self) -> None:
        """End the tasks that are under way."""
        for prediction in self._all.values():
            if prediction.task:
                prediction.task.cancel()
            prediction.shown.set()

    def _drop(self, prediction: Prediction) -> None:
        del self._all[prediction.id]
        if prediction.task:
            prediction.task.cancel()
        self._clear(prediction)

    def _clear(self, prediction: Prediction) -> None:
        if not prediction.data_removed:
            self.size -= prediction.size
            self._forget(prediction)
            prediction.remove_data()


def random_id(length: int) -> str:
    """Return an unguessable id of `[a-z0-9]`."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def rfc3339(moment: float) -> str:
    """Return the wall clock's seconds as Replicate writes times."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")
