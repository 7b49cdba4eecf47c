"""What Replicate does, and those who follow its predictions or come back to them too late."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from models import cancellation, following, lifecycle
from models.tables import IN_DOUBT, NOT_ENDED, AttemptStatus
from tests.properties.machine import Machine, given_any, pick, same, times, which
from tests.properties.outside import Prediction
from tests.properties.things import Attempt

PAUSE = 600.0
states = st.sampled_from([NOT_ENDED, IN_DOUBT])
tries = st.sampled_from([1, 2, 5])
outcomes = st.sampled_from(["canceled", "aborted", "model_failed"])
codes = st.sampled_from(["model_failed", "result_lost", "timed_out"])


class Followers(Machine):
    """Ask, and settle by what is answered; any attempt that was ever made may try to."""

    def alive(self) -> list[Prediction]:
        return [each for each in self.predictions() if each.status == "processing"]

    @given_any("alive")
    @rule(number=which, status=st.sampled_from(["succeeded", "failed", "canceled"]))
    def end(self, number: int, status: str) -> None:
        pick(self.alive(), number).status = status

    def doubtless(self) -> list[Attempt]:
        return self.attempts(AttemptStatus.CREATED)

    @given_any("doubtless")
    @rule(number=which, status=st.sampled_from(["succeeded", "failed"]), refund=st.booleans())
    def follow(self, number: int, status: str, refund: bool) -> None:
        """What a prediction ends as, if it has not ended yet, and what becomes of its item."""
        attempt = pick(self.doubtless(), number)
        prediction = self.outside.predictions[attempt.prediction or ""]
        if prediction.status == "processing":
            prediction.status = status
        if prediction.status == "succeeded":
            self._finish(attempt, times=1)
        else:
            self._give_up(attempt, refund)

    def _give_up(
        self, attempt: Attempt, refund: bool, states: tuple[AttemptStatus, ...] = NOT_ENDED
    ) -> None:
        outcome = self.outside.status_of(attempt) or "no_trace"
        facts = {"attempts": 5, "code": "too_many_attempts", "states": states}
        self._requeue(attempt, 1, outcome=outcome, backoff=PAUSE, refund=refund, **facts)

    def unwanted_and_alive(self) -> list[Attempt]:
        return [attempt for attempt in self.doubtless() if attempt.item.unwanted]

    @given_any("doubtless")
    @rule(number=which, refund=st.booleans())
    def cancel_and_obey(self, number: int, refund: bool) -> None:
        """Far enough for something to become of it."""
        item = pick(self.doubtless(), number).item
        if not item.unwanted:
            job = item.job
            told = cancellation.cancel_item(job.shop.id, job.id, item.id)
            assert told == self.reference.cancel([item])
        self._obey(self.reference.attempts[item.holder or 0], refund)

    @given_any("unwanted_and_alive")
    @rule(number=which, refund=st.booleans())
    def obey(self, number: int, refund: bool) -> None:
        """Ask for the end of what a shop wants canceled: it may have succeeded already."""
        self._obey(pick(self.unwanted_and_alive(), number), refund)

    def _obey(self, attempt: Attempt, refund: bool) -> None:
        self.outside.cancel(attempt.prediction or "")
        if self.outside.status_of(attempt) == "succeeded":
            self._finish(attempt, times=1)
        else:
            self._give_up(attempt, refund)

    @given_any("attempts")
    @rule(number=which, ahead=st.sampled_from([1, 0, 2, -1]), times=times)
    def take_check(self, number: int, ahead: int, times: int) -> None:
        attempt = pick(self.attempts(), number)
        nth = attempt.checks + ahead
        for _ in range(times):
            check = following.take_check(attempt.id, nth, again_in=0.0)
            assert (check is not None) == self.reference.take_check(attempt, nth)
            if check:
                assert (check.number, check.item_id) == (nth, attempt.item.id)
                assert check.prediction_id == attempt.prediction
                assert check.unwanted == attempt.item.unwanted
        waits = attempt.status == AttemptStatus.CREATED
        assert following.check_in(attempt.id, 5.0) == waits

    def finishable(self) -> list[Attempt]:
        """Those that have a result, and those that nobody should hear any more."""
        succeeded = [a for a in self.attempts() if self.outside.status_of(a) == "succeeded"]
        return self.attempts(AttemptStatus.ENDED) + succeeded

    @given_any("finishable")
    @rule(number=which, times=times)
    def finish(self, number: int, times: int) -> None:
        self._finish(pick(self.finishable(), number), times)

    def _finish(self, attempt: Attempt, times: int) -> None:
        key = f"key-{attempt.id}"
        same(
            times,
            lambda: lifecycle.finish(attempt.id, key, "image/png"),
            lambda: self.reference.finish(attempt, key),
        )

    @given_any("attempts")
    @rule(number=which, code=codes, refund=st.booleans(), states=states, times=times)
    def fail(
        self, number: int, code: str, refund: bool, states: tuple[AttemptStatus, ...], times: int
    ) -> None:
        attempt = pick(self.attempts(), number)
        same(
            times,
            lambda: lifecycle.fail(attempt.id, code, refund, states),
            lambda: self.reference.fail(attempt, code, refund, states),
        )

    def repeatable(self, states: Sequence[AttemptStatus] = NOT_ENDED) -> list[Attempt]:
        """Those that made nothing, those whose prediction failed, and those that are in none of
        the states any more: nobody asks for it while a prediction may be alive or a success."""
        return [attempt for attempt in self.attempts() if self._is_repeatable(attempt, states)]

    def _is_repeatable(self, attempt: Attempt, states: Sequence[AttemptStatus]) -> bool:
        if attempt.status == AttemptStatus.CREATING:
            return not self.outside.made_by(attempt)
        alive = self.outside.status_of(attempt) in {"processing", "succeeded"}
        return attempt.status not in states or not alive

    @given_any("repeatable")
    @rule(
        number=which,
        outcome=outcomes,
        backoff=st.sampled_from([PAUSE, 0.0]),
        attempts=tries,
        code=codes,
        refund=st.booleans(),
        states=states,
        times=times,
    )
    def requeue(self, number: int, times: int, **facts: Any) -> None:
        attempt = pick(self.repeatable(facts["states"]), number)
        self._requeue(attempt, times, **facts)

    @given_any("doubtless")
    @rule(number=which, backoff=st.sampled_from([PAUSE, 0.0]), attempts=tries)
    def requeue_what_was_in_doubt(self, number: int, backoff: float, attempts: int) -> None:
        """By somebody who has not heard that its prediction is known in the meantime."""
        attempt = pick(self.doubtless(), number)
        facts = {"attempts": attempts, "code": "timed_out", "states": IN_DOUBT}
        self._requeue(attempt, 1, outcome="throttled", backoff=backoff, refund=True, **facts)

    def _requeue(self, attempt: Attempt, times: int, *, outcome: str, **facts: Any) -> None:
        same(
            times,
            lambda: lifecycle.requeue(attempt.id, outcome, **facts),
            lambda: self.reference.requeue(attempt, outcome, **facts),
        )
