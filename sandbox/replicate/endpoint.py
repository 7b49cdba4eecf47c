"""What every endpoint of the stand-in shares: recording, refusals, faults, sending."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from sandbox.replicate import faults
from sandbox.replicate.answers import (
    NOT_FOUND,
    REFUSALS,
    UNAUTHENTICATED,
    Answer,
    Refusal,
    problem,
)
from sandbox.replicate.arrival import arrived
from sandbox.replicate.knobs import Fault
from sandbox.replicate.world import World

PIECE = 2**16


class Gone(Exception):
    """A fault has closed the connection: there is nothing left to answer."""


class Plain(RequestHandler):
    """A path that reads and answers JSON; the tests' own door is no more than that."""

    def initialize(self, world: World) -> None:
        """Take the state that all paths share."""
        self.world = world
        self.entry: dict[str, Any] = {}

    def compute_etag(self) -> None:
        """Replicate sends no ETag."""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what Tornado itself refuses (405, our own bugs) in Replicate's form."""
        refused = problem(status_code, "The stand-in cannot answer this request.")
        self.set_header("Content-Type", refused.content_type)
        self.finish(refused.body)

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the body, or refuse."""
        document = parsed(self.request)
        if not isinstance(document, dict):
            raise Refusal(problem(400, "The request body is not a JSON object."))
        return document

    async def send(self, answer: Answer) -> None:
        """Write the answer; a client that has gone away misses it."""
        self.set_status(answer.status)
        for header, value in answer.all_headers.items():
            self.set_header(header, value)
        if answer.body:
            self.write(answer.body)
        try:
            for start in range(0, answer.padding, PIECE):
                self.write(bytes(min(PIECE, answer.padding - start)))
                await self.flush()
            await self.finish()
        except StreamClosedError:
            return


class Endpoint(Plain):
    """One path of Replicate's; `name` is what faults call it. A verb hands its work to `serve`."""

    name: ClassVar[str] = "other"
    private: ClassVar[bool] = True

    @property
    def base(self) -> str:
        """The root URL by which the client reached us."""
        return f"{self.request.protocol}://{self.request.host}"

    async def prepare(self) -> None:
        """Record the request at its arrival, whatever becomes of it."""
        request = self.request
        self.entry = self.world.record.note(
            arrived(request),
            request.method or "",
            request.uri or "",
            "Authorization" in request.headers,
            parsed(request),
        )
        self.world.tidy()

    def on_finish(self) -> None:
        """Record what was answered; a connection that a fault closed leaves None."""
        self.entry["status"] = self.get_status()

    async def serve(self, act: Callable[[], Awaitable[Answer]], name: str | None = None) -> None:
        """Answer the request by `act`, and let faults happen around that."""
        try:
            answer = await self._answer(act, name or self.name)
        except Refusal as refusal:
            answer = refusal.answer
        except Gone:
            return
        await self.send(answer)

    async def _answer(self, act: Callable[[], Awaitable[Answer]], name: str) -> Answer:
        before = self.world.fault(name, "before")
        if before and (spoiled := await self._suffer(before, None)):
            return spoiled
        self._admit()
        answer = await act()
        after = self.world.fault(name, "after")
        return (await self._suffer(after, answer) if after else None) or answer

    def _admit(self) -> None:
        """Refuse whom the API refuses."""
        if not self.private:
            return
        if not _known(self.request.headers.get("Authorization", ""), self.world.token):
            raise Refusal(UNAUTHENTICATED)
        if self.world.knobs.refuse is not None:
            raise Refusal(REFUSALS[self.world.knobs.refuse])

    async def _suffer(self, fault: Fault, answer: Answer | None) -> Answer | None:
        """Let the fault happen: None goes on as if nothing had been, after a while."""
        self.entry["fault"] = f"{fault.kind} {fault.phase}"
        if fault.kind == "delay":
            await self._late(fault.seconds)
            return None
        if spoiled := faults.instead(fault, answer):
            return spoiled
        await faults.break_off(self.detach(), fault, answer or faults.MADE_UP)
        raise Gone

    async def _late(self, seconds: float) -> None:
        """Go on later, but not into the world after a reset: that is another test's."""
        record = self.world.record
        await asyncio.sleep(seconds)
        if self.world.record is not record:
            self.detach().close()
            raise Gone


class Unknown(Endpoint):
    """Any other path."""

    private = False

    async def prepare(self) -> None:
        """Answer every verb alike."""
        await super().prepare()
        await self.send(NOT_FOUND)


def parsed(request: HTTPServerRequest) -> Any:
    """Return the body's JSON, None where it is something else."""
    try:
        return json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return None


def _known(authorization: str, token: str | None) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme in {"Bearer", "Token"} and given.strip() != "" and token in {None, given.strip()}
