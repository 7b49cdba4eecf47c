"""The four functions that the service needs of Replicate, over the official client.

The client builds paths and bodies; below it, `tasks.wire` bounds and sorts every exchange. Answers
are read from the raw JSON: the client's own classes do not know the status `aborted`, and one such
row would break a whole page of the list.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from replicate.client import Client

from config.settings import Settings
from tasks.measure import Function
from tasks.prediction import ModelInput, Prediction, is_prediction_id, read_prediction
from tasks.provider_errors import Ambiguous, Permanent, ProviderError, Retryable
from tasks.provider_files import UploadedFile, read_file
from tasks.wire import Answered, Timeouts, Wire

__all__ = ["ModelInput", "Prediction", "Replicate"]

DEFAULT_TIMEOUTS = Timeouts()


class Replicate:
    """A thread-safe client; build one per process, after any fork.

    `on_call(function, outcome, seconds)` hears of every HTTP call; the outcome is `ok` or that of a
    `ProviderError`. It must not raise: the id of an accepted create would be lost with it. What
    goes wrong at the other side is raised as a `ProviderError`, always.
    """

    def __init__(
        self,
        settings: Settings,
        on_call: Callable[[str, str, float], None],
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._settings = settings
        self._on_call = on_call
        # Replicate itself ends what we may have forgotten; it takes whole seconds only.
        deadline = {"Cancel-After": f"{int(settings.prediction_deadline)}s"}
        self._wire = Wire(
            settings.replicate_base_url, settings.replicate_api_token, deadline, timeouts
        )
        # The client wraps `transport` in its hidden retries and leaves `mounts` alone. With proxy
        # variables trusted, NO_PROXY would lead some hosts around the mount, back to the retries.
        self._client = Client(
            settings.replicate_api_token,
            base_url=settings.replicate_base_url,
            transport=self._wire,
            mounts={"all://": self._wire},
            trust_env=False,
        )
        _ = self._client._client  # Its lazy start races: two threads would build two of them.

    def create_image_optimization_prediction(
        self,
        input: ModelInput,  # noqa: A002  the provider's own word for it
        webhook: str | None = None,
        *,
        model: str | None = None,
        may_send: Callable[[], bool] = lambda: True,
    ) -> Prediction:
        """Start one run of a model (by default the service's own) and return at once; `webhook`
        hears of its end.

        `may_send` is asked when the connection is there, directly before the first byte: `NotSent`
        if it says no. `Ambiguous` means that it may run although no id came back.
        """
        self._wire.gate(may_send)
        created = self._client.models.predictions.create
        options: dict[str, Any] = {"input": input.as_json()}
        if webhook:
            options |= {"webhook": webhook, "webhook_events_filter": ["completed"]}
        name = model or self._settings.replicate_model
        document = self._call("create_prediction", lambda: created(name, **options))
        if prediction := read_prediction(document):
            return prediction
        raise Ambiguous("the create was accepted, but its answer holds no usable id")

    def warm_up(self) -> None:
        """Open a connection for the next call, by the cheapest request that there is."""
        self._call("get_account", self._client.accounts.current)

    def webhook_secret(self) -> str:
        """Return the `whsec_…` that this account's webhooks are signed with."""
        key = self._call("get_webhook_secret", self._client.webhooks.default.secret).get("key")
        if not isinstance(key, str) or not key.startswith("whsec_"):
            raise Retryable("the answer holds no webhook secret")
        return key

    def upload_file(self, name: str, file: BinaryIO, content_type: str) -> UploadedFile:
        """Put a file where the models can read it, for about a day.

        Raises what reading it raises; a file that was sent twice is only there twice.
        """
        create = self._client.files.create
        document = self._call(
            "create_file", lambda: create(file, filename=name, content_type=content_type)
        )
        if uploaded := read_file(document):
            return uploaded
        raise Retryable("the answer shows no file")

    def get_prediction(self, id: str) -> Prediction:
        """Return the prediction as it is now; `Permanent` `result_lost` where nobody knows it."""
        return self._one("get_prediction", id, self._client.predictions.get)

    def cancel_prediction(self, id: str) -> Prediction:
        """Ask for the prediction's end and return it; one that has ended stays as it is."""
        return self._one("cancel_prediction", id, self._client.predictions.cancel)

    def optimize_image(
        self,
        input: ModelInput,  # noqa: A002
        stopping: threading.Event | None = None,
    ) -> Prediction:
        """Create a prediction and follow it to its end: for scripts, workers never wait that long.

        It is canceled when `stopping` is set or `prediction_deadline` has passed.
        """
        wait = (stopping or threading.Event()).wait
        deadline = time.monotonic() + self._settings.prediction_deadline
        prediction = self.create_image_optimization_prediction(input)
        while not prediction.finished:
            if wait(self._settings.poll_interval) or time.monotonic() > deadline:
                return self.cancel_prediction(prediction.id)
            prediction = self._look_again(prediction, wait)
        return prediction

    def list_predictions(
        self, created_after: datetime | str, max_pages: int = 50
    ) -> Iterator[Prediction]:
        """Yield what was created since, newest first; rows without a usable id are left out.

        Ends with `Retryable` when the list could not be read to its end: what was not seen is then
        not known to be missing.
        """
        cursor = f"/v1/predictions?created_after={quote(_rfc3339(created_after), safe='')}"
        for _ in range(max_pages):
            page = self._page(cursor)
            yield from filter(None, map(read_prediction, page["results"]))
            if not page.get("next"):
                return
            cursor = str(page["next"])
        raise Retryable(f"the list of predictions is longer than {max_pages} pages")

    def close(self) -> None:
        """Close the idle connections."""
        self._wire.close()

    def _one(self, function: Function, id: str, send: Callable[[str], object]) -> Prediction:
        if not is_prediction_id(id):
            raise Permanent("invalid_input", "this is not the id of a prediction")
        prediction = read_prediction(self._call(function, lambda: send(id)))
        if prediction is None or prediction.id != id:
            raise Retryable("the answer does not show the prediction that was asked for")
        return prediction

    def _page(self, cursor: str) -> dict[str, Any]:
        page = self._call("list_predictions", lambda: self._client.predictions.list(cursor))
        if not isinstance(page.get("results"), list):
            raise Retryable("the answer is not a page of predictions")
        return page

    def _look_again(self, known: Prediction, wait: Callable[[float], object]) -> Prediction:
        try:
            return self.get_prediction(known.id)
        except Retryable as error:
            wait(min(error.after or 0.0, self._settings.prediction_deadline))
            return known

    def _call(self, function: Function, send: Callable[[], object]) -> dict[str, Any]:
        """Let the client send one request, tell `on_call`, and return the raw JSON object."""
        started = time.monotonic()
        outcome = "ok"
        try:
            return self._raw_answer(send)
        except ProviderError as error:
            outcome = error.outcome
            raise
        finally:
            self._on_call(function, outcome, time.monotonic() - started)

    def _raw_answer(self, send: Callable[[], object]) -> dict[str, Any]:
        try:
            send()
        except Answered as answer:
            return answer.document
        raise RuntimeError("the client answered without asking Replicate")


def _rfc3339(moment: datetime | str) -> str:
    """Return the moment as Replicate's filter wants it; one without a zone is UTC, not local."""
    if isinstance(moment, str):
        return moment
    return (
        moment.replace(tzinfo=moment.tzinfo or UTC)
        .astimezone(UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    )
