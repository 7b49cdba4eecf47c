"""Everything that one stand-in holds."""

import random
from concurrent.futures import ThreadPoolExecutor

from sandbox.replicate import fetch
from sandbox.replicate.faults import chosen
from sandbox.replicate.files import Files
from sandbox.replicate.knobs import Fault, Knobs, Outcome
from sandbox.replicate.outputs import Outputs
from sandbox.replicate.predictions import Predictions
from sandbox.replicate.record import Record
from sandbox.replicate.throttle import Gate
from sandbox.replicate.webhooks import Post

MOST_BYTES = 512 * 2**20


class World:
    """The stand-in's state; `reset` begins anew with the knobs of the start.

    `token` is the only one that is let in, None lets any in.
    """

    def __init__(self, first_knobs: Knobs, token: str | None, secret: str) -> None:
        self._first_knobs = first_knobs
        self._secret = secret
        self.token = token
        self.http = fetch.client()
        # Retouching is the one thing that takes processor time: the API goes on answering.
        self.pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="model")
        self._begin()

    def _begin(self) -> None:
        self.knobs = self._first_knobs.fresh()
        self.dice = random.Random(self.knobs.seed)
        self.record = Record()
        self.gate = Gate()
        self.files = Files()
        self.outputs = Outputs()
        self.predictions = Predictions(self.outputs.forget)
        self.post = Post(self.http, self._secret, self.dice)

    def turn(self, knobs: Knobs) -> None:
        """Use these knobs from now on; a throttle with another rule begins to count anew."""
        if knobs.throttle != self.knobs.throttle:
            self.gate = Gate()
        if knobs.seed != self.knobs.seed:
            self.dice.seed(knobs.seed)
        self.knobs = knobs.fresh()

    def reset(self) -> None:
        """Forget everything and stop what is under way."""
        self.predictions.stop_all()
        self.post.stop_all()
        self._begin()

    def close(self) -> None:
        """Stop what is under way, for good."""
        self.reset()
        self.http.close()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def fault(self, endpoint: str, phase: str) -> Fault | None:
        """Return the fault that is due, if any."""
        return chosen(self.knobs.faults, endpoint, phase, self.dice)

    def next_outcome(self) -> Outcome | None:
        """Take the next forced outcome, if any."""
        return self.knobs.outcomes.popleft() if self.knobs.outcomes else None

    def tidy(self) -> None:
        """Remove what is too old or too much."""
        self.predictions.remove_old_data(self.knobs.retention)
        self.files.remove_old()
        while self.predictions.size + self.outputs.size > MOST_BYTES:
            if not self.predictions.remove_oldest_data():
                return
