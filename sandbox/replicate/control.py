"""The tests' own door: turn knobs, read the record, begin anew."""

from marshmallow import ValidationError

from sandbox.replicate.answers import Answer, json_answer, problem
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.knobs import as_json, turned


class KnobsControl(Endpoint):
    """`/_control/knobs`."""

    async def get(self) -> None:
        """Show all knobs."""
        await self.send(json_answer(200, as_json(self.world.knobs)))

    async def put(self) -> None:
        """Turn some knobs; nothing changes where one of them is refused."""
        await self.send(self._turn())

    def _turn(self) -> Answer:
        try:
            self.world.turn(turned(self.world.knobs, self.body()))
        except ValidationError as error:
            return problem(400, "The knobs stay as they are.", errors=error.messages)
        return json_answer(200, as_json(self.world.knobs))


class Reset(Endpoint):
    """`/_control/reset`."""

    async def post(self) -> None:
        """Forget everything."""
        self.world.reset()
        await self.send(Answer(204, b""))


class Requests(Endpoint):
    """`/_control/requests?since=`: the requests from that number on."""

    async def get(self) -> None:
        """Show the recorded requests, oldest first."""
        since = int(self.get_query_argument("since", "0"))
        await self.send(json_answer(200, {"requests": list(self.world.record.since(since))}))


class CreatesControl(Endpoint):
    """`/_control/creates`."""

    async def get(self) -> None:
        """Show the accepted creates, oldest first."""
        await self.send(json_answer(200, {"creates": list(self.world.record.creates)}))
