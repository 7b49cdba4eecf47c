"""What workers do, those too that were frozen or are presumed dead."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from models import lifecycle, turns
from models.tables import AttemptStatus
from tests.properties.machine import Machine, given_any, pick, same, times, which
from tests.properties.outside import Prediction
from tests.properties.things import Attempt
from tests.shop import DEADLINE


class Workers(Machine):
    """Claim, create and note; any of these may be the last that is heard of a worker."""

    @given_any("due")
    @rule()
    def claim(self) -> None:
        expected = self.reference.next_item()
        assert turns.anything_due() == (expected is not None)

        turn = lifecycle.claim_next(DEADLINE)

        assert (turn and turn.item_id) == (expected and expected.id)
        if turn and expected:
            assert turn.image_urls == (expected.url,)
            self.reference.claimed(expected, turn.attempt_id)

    def unsent(self) -> list[Attempt]:
        """Those whose worker is about to create, within its lease."""
        working = [a for a in self.creating() if not a.lease_over]
        return [attempt for attempt in working if not self.outside.made_by(attempt)]

    @given_any("unsent")
    @rule(number=which)
    def create(self, number: int) -> None:
        self.outside.create(pick(self.unsent(), number))

    @given_any("due")
    @rule(noted=st.booleans())
    def claim_and_create(self, noted: bool) -> None:
        """Far enough for something to become of it."""
        self.claim()
        prediction = self.outside.create(self.creating()[-1])
        if noted:
            self._note(prediction, times=1)

    @given_any("predictions")
    @rule(number=which, times=times)
    def note(self, number: int, times: int) -> None:
        self._note(pick(self.predictions(), number), times)

    def _note(self, prediction: Prediction, times: int) -> None:
        maker, id = prediction.maker, prediction.id
        same(
            times,
            lambda: bool(lifecycle.note(maker.id, id, check_in=0.0)),
            lambda: self.reference.note(maker, id),
        )

    def frozen(self) -> list[Attempt]:
        """Those whose worker was frozen before its create, longer than its attempt was kept."""
        late = [a for a in self.attempts() if a.lease_over or a.status == AttemptStatus.ENDED]
        return [attempt for attempt in late if not self.outside.made_by(attempt)]

    @given_any("frozen")
    @rule(number=which)
    def thaw(self, number: int) -> None:
        """It creates all the same, which nobody can exclude; it hears that nobody waits."""
        maker = pick(self.frozen(), number)
        late = maker.status != AttemptStatus.CREATING
        prediction = self.outside.create(maker, late=late)

        self._note(prediction, times=1)

        owner = self.reference.owner(prediction.id)
        if owner is None:
            self.outside.cancel(prediction.id)
        elif owner is not maker:
            # Another one in doubt got it, whose own create may have been accepted as well.
            self.outside.twice.add(prediction.input)
