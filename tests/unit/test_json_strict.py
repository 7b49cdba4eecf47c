"""The JSON parser: what is good stays what it was, what is bad is refused in linear time."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.problems import InvalidInput
from api.strict_json import DEEPEST, parse

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(width=32) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def faults(body: bytes) -> dict[str, Any]:
    with pytest.raises(InvalidInput) as refusal:
        parse(body)
    return dict(refusal.value.errors)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, VALUES), st.booleans())
def test_what_is_good_is_read_as_the_standard_parser_reads_it(
    value: dict[str, Any], ascii_only: bool
) -> None:
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    except ValueError:
        return

    assert parse(text.encode()) == json.loads(text)


@settings(deadline=None)
@given(st.binary())
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    with suppress(InvalidInput):
        parse(body)


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1])
def test_nesting_has_a_bound(depth: int) -> None:
    body = b'{"a":' * depth + b"1" + b"}" * depth

    if depth <= DEEPEST:
        assert parse(body)
    else:
        assert faults(body) == {"body": [f"Nested deeper than {DEEPEST} levels."]}


def test_brackets_in_texts_are_not_nesting() -> None:
    text = '\\"[[[{{{' * 50

    assert parse(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 130_000,
        b'"' * 260_000,
        b"\\" * 260_000,
        b'{"' + b"\\\\" * 130_000,
        b"[]" * 130_000,
        b'{"a":[' + b"{}," * 80_000 + b"1]}",
        b'{"a":"' + b"x" * 260_000 + b'"}',
    ],
    ids=range(7),
)
def test_no_body_takes_long(body: bytes) -> None:
    began = time.process_time()
    with suppress(InvalidInput):
        parse(body)

    assert time.process_time() - began < 1


def test_each_fault_has_its_path() -> None:
    body = rb'{"a": "\u0000", "b": [1e999, {"c": "\ud800", "c": 1}], "b": [NaN], "\ud800": 1}'

    found = faults(body)

    assert set(found) == {"a", "b", "b.0", "\N{REPLACEMENT CHARACTER}"}


def test_the_last_of_two_equal_keys_does_not_win() -> None:
    assert faults(b'{"x": {"a": 1, "a": 1}}') == {"x.a": ["Given more than once."]}
