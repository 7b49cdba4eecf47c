"""Which fault meets a request, and how the answer or the wire looks when it does."""

import asyncio
import json
import random
import socket
import struct
from collections.abc import Iterable
from typing import Any

from tornado.iostream import IOStream, StreamClosedError

from sandbox.replicate.answers import Answer, json_answer, problem
from sandbox.replicate.knobs import Fault

PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>Bad gateway</body></html>"
MADE_UP = json_answer(200, {"detail": "The stand-in made this answer up."})


def chosen(faults: Iterable[Fault], endpoint: str, phase: str, dice: random.Random) -> Fault | None:
    """Return the first fault that is due here; one time less is left of it."""
    for fault in faults:
        here = fault.endpoint in {"*", endpoint} and fault.phase == phase
        if here and fault.times != 0 and dice.random() < fault.probability:
            if fault.times is not None:
                fault.times -= 1
            return fault
    return None


def instead(fault: Fault, answer: Answer | None) -> Answer | None:
    """Return the wrong answer in well-formed HTTP, None for the faults that are no HTTP.

    `answer` is the right one, where the request was accepted.
    """
    right = answer or MADE_UP
    if fault.kind == "status":
        return _with_status(fault)
    if fault.kind == "not_json":
        return Answer(right.status, PAGE, "text/html; charset=utf-8")
    if fault.kind == "not_an_object":
        return json_answer(right.status, ["unexpected"])
    if fault.kind == "schema_drift":
        return json_answer(right.status, drifted(right))
    return None


def drifted(answer: Answer) -> dict[str, Any]:
    """Return the document as a later version of the API might show it: the client fails on it.

    The id stays, as a create's would.
    """
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = {}
    output = {"images": [document.get("output")]}
    other = {"status": "queued", "version": None, "urls": None, "results": None, "key": None}
    return {**document, **other, "output": output}


def _with_status(fault: Fault) -> Answer:
    answer = problem(fault.status, "The stand-in was told to answer so.")
    if fault.retry_after is None:
        return answer
    headers = {"Retry-After": str(fault.retry_after)}
    return Answer(fault.status, answer.body, answer.content_type, headers)


async def break_off(stream: IOStream, fault: Fault, answer: Answer) -> None:
    """Send what this fault leaves of the answer, and close the connection."""
    try:
        await _write(stream, fault, answer)
    except StreamClosedError:  # The client was quicker.
        return
    stream.close()


async def _write(stream: IOStream, fault: Fault, answer: Answer) -> None:
    whole = head(answer) + answer.body
    if fault.kind == "truncated":
        await stream.write(whole[: len(whole) - len(answer.body) // 2 - 1])
    elif fault.kind == "garbage":
        await stream.write(b"\x16\x03\x01" + random.randbytes(200))
    elif fault.kind == "drip":
        await _drip(stream, whole, fault.seconds)
    elif fault.kind == "reset" and not stream.closed():
        # Closing a socket that lingers for no time at all sends RST instead of FIN.
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _drip(stream: IOStream, whole: bytes, seconds: float) -> None:
    for byte in whole:
        await stream.write(bytes([byte]))
        await asyncio.sleep(seconds / len(whole))


def head(answer: Answer) -> bytes:
    """Return the status line and headers as bytes."""
    lines = [f"HTTP/1.1 {answer.status} Stand-In"]
    lines += [f"{name}: {value}" for name, value in answer.all_headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
