"""Result files, and the ways in which a result can be something else than an image."""

from functools import cache
from io import BytesIO

from PIL import Image

from sandbox.replicate.answers import Answer
from sandbox.replicate.predictions import Prediction, random_id

HUGE = 64 * 2**20
TYPES = {"jpg": "image/jpeg", "png": "image/png"}
PAGE = b"<!doctype html><title>Just a moment</title><p>Checking your browser"


class Outputs:
    """Files, ready to be sent, by the random part of their address; `size` is their bytes."""

    def __init__(self) -> None:
        self._files: dict[str, Answer] = {}
        self.size = 0

    def add(self, prediction: Prediction, result: bytes, kind: str) -> str:
        """Keep a result, spoiled as `kind` says, and return its URL."""
        extension = output_format(prediction.input)
        file = spoiled(result, TYPES[extension], kind)
        key = random_id(43)
        self._files[key] = file
        self.size += len(file.body)
        return f"{prediction.base}/output/{key}/out.{extension}"

    def get(self, key: str) -> Answer | None:
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


def spoiled(result: bytes, content_type: str, kind: str) -> Answer:
    """Return the file as the knob `output_kind` wants it."""
    files = {
        "image": Answer(200, result, content_type),
        "not_an_image": Answer(200, b"These bytes are no image.", content_type),
        "empty": Answer(200, b"", content_type),
        "huge": Answer(200, result, content_type, padding=HUGE),
        "html": Answer(200, PAGE, "text/html; charset=utf-8"),
        "wrong_type": Answer(200, result, "text/plain"),
        "truncated": Answer(200, result[: len(result) // 2], content_type),
    }
    return files[kind]


@cache
def canned(extension: str) -> bytes:
    """Return a tiny real image: a gradient of 32 by 32 pixels."""
    picture = Image.merge("RGB", [Image.linear_gradient("L").resize((32, 32))] * 3)
    file = BytesIO()
    picture.save(file, {"jpg": "JPEG", "png": "PNG"}[extension])
    return file.getvalue()
