"""JSON as strictly as its senders should have meant it.

The standard parser lets the last of two equal keys win, reads NaN, infinities and numbers of any
length, keeps NULs and lone surrogates that no database takes, and breaks off inside when brackets
are nested 200,000 deep. Here each of them is a fault with its path.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from math import isfinite
from typing import Any

from api.problems import InvalidInput

DEEPEST = 32
LONGEST_NUMBER = 40
MOST_FAULTS = 100
LONGEST_KEY = 100

# A whole string or a bracket. A string that never ends is taken as well: trying it again from each
# of its escaped quotes would cost the square of the length.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class _Absurd:
    """Stands where a number was that no field could mean."""


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys came more than once."""

    repeated: Sequence[str] = ()

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        if len(self) < len(pairs):
            counted = Counter(key for key, _value in pairs)
            self.repeated = [key for key, count in counted.items() if count > 1]


def parse(body: bytes) -> dict[str, Any]:
    """Return the object that `body` holds; raises `InvalidInput` with the paths of all faults."""
    text = _decode(body)
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _wrong(f"Not JSON: {error.msg}, {where}.") from error
    faults = {_shown(path): [fault] for path, fault in islice(_faults(value, ()), MOST_FAULTS)}
    if faults:
        raise InvalidInput(faults)
    if not isinstance(value, dict):
        raise _wrong("Must be a JSON object.")
    return value


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _wrong("Not JSON: the body is not UTF-8.") from error


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        first = text[token.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > DEEPEST:
            raise _wrong(f"Nested deeper than {DEEPEST} levels.")


Path = tuple[str | int, ...]


def _faults(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str() if _UNSTORABLE.search(value):
            yield path, "Must not hold NUL or half of a surrogate pair."
        case _Absurd():
            yield path, "Not a number that can be meant."
        case _Object():
            yield from _faults_of_keys(value, path)
            for key, inner in value.items():
                yield from _faults(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _faults(inner, (*path, index))


def _faults_of_keys(value: _Object, path: Path) -> Iterator[tuple[Path, str]]:
    for key in value.repeated:
        yield (*path, key), "Given more than once."
    for key in value:
        if _UNSTORABLE.search(key):
            yield (*path, key), "A name must not hold NUL or half of a surrogate pair."


def _shown(path: Path) -> str:
    shown = ""
    for key in path:
        shown = join(shown, str(key))
    return shown or "body"


def join(path: str, key: str) -> str:
    """Return the path of `key` inside `path`, fit to be printed: keys come from the client."""
    shown = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", key[:LONGEST_KEY])
    return f"{path}.{shown}" if path else shown


def _integer(text: str) -> int | _Absurd:
    return int(text) if len(text) <= LONGEST_NUMBER else _Absurd()


def _float(text: str) -> float | _Absurd:
    number = float(text) if len(text) <= LONGEST_NUMBER else float("inf")
    return number if isfinite(number) else _Absurd()


def _wrong(message: str) -> InvalidInput:
    return InvalidInput({"body": [message]})


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=lambda _name: _Absurd(),
)
