"""The tests' own door: turn knobs, read the record, begin anew."""

from marshmallow import ValidationError

from sandbox.replicate.answers import Answer, Refusal, json_answer, problem
from sandbox.replicate.endpoint import Plain
from sandbox.replicate.knobs import as_json, turned


class Knobs(Plain):
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
        except Refusal as refusal:
            return refusal.answer
        return json_answer(200, as_json(self.world.knobs))


class Reset(Plain):
    """`/_control/reset`."""

    async def post(self) -> None:
        """Forget everything."""
        self.world.reset()
        await self.send(Answer(204, b""))


class Requests(Plain):
    """`/_control/requests?since=`."""

    async def get(self) -> None:
        """Show the recorded requests from that number on, oldest first."""
        since = self.get_query_argument("since", "0")
        if not since.isdecimal():
            return await self.send(problem(400, "since is the number of a request."))
        rows = list(self.world.record.since(int(since)))
        return await self.send(json_answer(200, {"requests": rows}))


class Creates(Plain):
    """`/_control/creates`."""

    async def get(self) -> None:
        """Show the accepted creates, oldest first."""
        await self.send(json_answer(200, {"creates": list(self.world.record.creates)}))
