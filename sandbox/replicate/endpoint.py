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
    NO_CREDIT,
    NOT_FOUND,
    UNAUTHENTICATED,
    Answer,
    Refusal,
    problem,
)
from sandbox.replicate.knobs import Fault
from sandbox.replicate.world import World

SPOILING = {"not_json", "not_an_object", "schema_drift"}


class Gone(Exception):
    """A fault has closed the connection: there is nothing left to answer."""


class Endpoint(RequestHandler):
    """One path; `name` is what faults call it. A verb hands its work to `serve`."""

    name: ClassVar[str] = "other"
    private: ClassVar[bool] = True

    def initialize(self, world: World) -> None:
        """Take the state that all endpoints share."""
        self.world = world

    def compute_etag(self) -> None:
        """Replicate sends no ETag."""

    def log_exception(self, *args: Any) -> None:
        """Say nothing about a client that went away."""
        if not isinstance(args[1], StreamClosedError):
            super().log_exception(*args)

    @property
    def base(self) -> str:
        """The root URL by which the client reached us."""
        return f"{self.request.protocol}://{self.request.host}"

    async def serve(self, act: Callable[[], Awaitable[Answer]], name: str | None = None) -> None:
        """Record the request, answer it by `act`, and let faults happen around that."""
        name = name or self.name
        self.entry = _noted(self.world, self.request)
        self.world.tidy()
        try:
            answer = await self._answer(act, name)
        except Gone:
            return
        self.entry["status"] = answer.status
        await self.send(answer)

    async def send(self, answer: Answer) -> None:
        """Write the answer."""
        self.set_status(answer.status)
        for header, value in answer.all_headers.items():
            self.set_header(header, value)
        await self.finish(answer.body or None)

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the body, or refuse."""
        document = _parsed(self.request)
        if not isinstance(document, dict):
            raise Refusal(problem(400, "The request body is not a JSON object."))
        return document

    async def _answer(self, act: Callable[[], Awaitable[Answer]], name: str) -> Answer:
        before = self.world.fault(name, "before")
        if before and (spoiled := await self._suffer(before, None)):
            return spoiled
        try:
            self._admit()
            answer = await act()
        except Refusal as refusal:
            return refusal.answer
        after = self.world.fault(name, "after")
        return (await self._suffer(after, answer) if after else None) or answer

    def _admit(self) -> None:
        """Refuse whom the API refuses."""
        if not self.private:
            return
        if not _known(self.request.headers.get("Authorization", ""), self.world.token):
            raise Refusal(UNAUTHENTICATED)
        refusals = {401: UNAUTHENTICATED, 402: NO_CREDIT}
        if refusal := refusals.get(self.world.knobs.refuse or 0):
            raise Refusal(refusal)

    async def _suffer(self, fault: Fault, answer: Answer | None) -> Answer | None:
        """Let the fault happen: None goes on as if nothing had been, after a while."""
        self.entry["fault"] = f"{fault.kind} {fault.phase}"
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "status":
            return problem(fault.status, "The stand-in was told to answer so.")
        shown = answer or Answer(200, b'{"detail": "made up by the stand-in"}')
        if fault.kind in SPOILING:
            return faults.spoiled(shown, fault.kind)
        await faults.break_off(self.detach(), fault, shown)
        raise Gone


class Unknown(Endpoint):
    """Any other path."""

    private = False

    async def prepare(self) -> None:
        """Answer every verb alike."""

        async def nothing() -> Answer:
            return NOT_FOUND

        await self.serve(nothing)


def _noted(world: World, request: HTTPServerRequest) -> dict[str, Any]:
    authorization = "Authorization" in request.headers
    return world.record.note(
        request.method or "", request.uri or "", authorization, _parsed(request)
    )


def _parsed(request: HTTPServerRequest) -> Any:
    """Return the body's JSON, None where it is something else."""
    try:
        return json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return None


def _known(authorization: str, token: str | None) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme in {"Bearer", "Token"} and given.strip() != "" and token in {None, given.strip()}
