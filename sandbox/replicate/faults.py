"""Which fault meets a request, and how the wire looks when it does."""

import asyncio
import json
import random
import socket
import struct
from collections.abc import Iterable
from typing import Any

from tornado.iostream import IOStream, StreamClosedError

from sandbox.replicate.answers import Answer, json_answer
from sandbox.replicate.knobs import Fault

PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


def chosen(faults: Iterable[Fault], endpoint: str, phase: str, dice: random.Random) -> Fault | None:
    """Return the first fault that is due here, one time less of it left."""
    for fault in faults:
        here = fault.endpoint in {"*", endpoint} and fault.phase == phase
        if here and fault.times != 0 and dice.random() < fault.probability:
            if fault.times is not None:
                fault.times -= 1
            return fault
    return None


def spoiled(answer: Answer, kind: str) -> Answer:
    """Return the answer as it must not be, in well-formed HTTP."""
    if kind == "not_json":
        return Answer(answer.status, PAGE, "text/html; charset=utf-8")
    if kind == "not_an_object":
        return json_answer(answer.status, ["unexpected"])
    return json_answer(answer.status, drifted(json.loads(answer.body or b"{}")))


def drifted(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as a later version of the API might show it: the client fails on it."""
    return {
        **document,
        "status": "queued",
        "version": None,
        "output": {"images": [document.get("output")]},
        "urls": None,
        "results": None,
    }


async def break_off(stream: IOStream, fault: Fault, answer: Answer) -> None:
    """Send what this fault leaves of the answer, and close the connection."""
    if fault.kind == "reset":
        linger = struct.pack("ii", 1, 0)
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    else:
        await _write(stream, fault, answer)
    stream.close()


async def _write(stream: IOStream, fault: Fault, answer: Answer) -> None:
    whole = head(answer) + answer.body
    try:
        if fault.kind == "truncated":
            await stream.write(whole[: len(whole) - len(answer.body) // 2 - 1])
        if fault.kind == "garbage":
            await stream.write(random.randbytes(200))
        if fault.kind == "drip":
            await _drip(stream, whole, fault.seconds)
    except StreamClosedError:
        return


async def _drip(stream: IOStream, whole: bytes, seconds: float) -> None:
    for byte in whole:
        await stream.write(bytes([byte]))
        await asyncio.sleep(seconds / len(whole))


def head(answer: Answer) -> bytes:
    """Return the status line and headers as bytes."""
    lines = [f"HTTP/1.1 {answer.status} Stand-In"]
    lines += [f"{name}: {value}" for name, value in answer.all_headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
