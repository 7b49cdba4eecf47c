"""Result files, and the ways in which a result can be something else than an image."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image

from sandbox.replicate.predictions import Prediction, random_id

MOST_BYTES = 512 * 2**20
HUGE = 64 * 2**20
TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that anybody with its address may get; `padding` zero bytes follow the body."""

    body: bytes
    content_type: str
    prediction: Prediction
    padding: int = 0


class Outputs:
    """Files by the random part of their address."""

    def __init__(self) -> None:
        self._files: dict[str, OutputFile] = {}
        self.size = 0

    def add(self, prediction: Prediction, body: bytes, kind: str) -> str:
        """Keep a result, spoiled as `kind` says, and return its URL."""
        extension = output_format(prediction.input)
        file = spoiled(body, TYPES[extension], prediction, kind)
        key = random_id(43)
        self._files[key] = file
        self.size += len(file.body)
        return f"{prediction.base}/output/{key}/out.{extension}"

    def get(self, key: str) -> OutputFile | None:
        """Return the file, if it is still there."""
        return self._files.get(key)

    def forget(self, prediction: Prediction) -> None:
        """Remove the file of that prediction."""
        if prediction.output is None:
            return
        key = prediction.output.rsplit("/", 2)[1]
        if file := self._files.pop(key, None):
            self.size -= len(file.body)


def output_format(given: dict[str, object]) -> str:
    """Return the extension that the input asks for."""
    return "png" if given.get("output_format") == "png" else "jpg"


def spoiled(body: bytes, content_type: str, prediction: Prediction, kind: str) -> OutputFile:
    """Return the result as `output_kind` wants it."""
    page = b"<!doctype html><title>Just a moment</title><p>Checking your browser"
    files = {
        "image": (body, content_type, 0),
        "not_an_image": (b"These bytes are no image.", content_type, 0),
        "empty": (b"", content_type, 0),
        "huge": (body, content_type, HUGE),
        "html": (page, "text/html; charset=utf-8", 0),
        "wrong_type": (body, "text/plain", 0),
        "truncated": (body[: len(body) // 2], content_type, 0),
    }
    start, shown_type, padding = files[kind]
    return OutputFile(start, shown_type, prediction, padding)


@cache
def canned(extension: str) -> bytes:
    """Return a tiny real image: a gradient of 32 by 32 pixels."""
    picture = Image.merge("RGB", [Image.linear_gradient("L").resize((32, 32))] * 3)
    file = BytesIO()
    picture.save(file, {"jpg": "JPEG", "png": "PNG"}[extension])
    return file.getvalue()
