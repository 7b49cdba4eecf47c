"""What schemas show is what marshmallow would show, less what is not set."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import marshmallow
import pytest
from marshmallow import fields

from api.fields import Moment
from api.schemas import Shape
from models.tables import Status

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Part(Shape):
    """A part of the whole."""

    number = fields.Integer(required=True)
    share = fields.Float()


class Whole(Shape):
    """One field of each kind."""

    success = fields.Constant(True)
    status = fields.String()
    long_name = fields.String(attribute="name")
    total = fields.Integer()
    seen = fields.Boolean()
    created_at = Moment()
    next_cursor = fields.String(allow_none=True)
    part = fields.Nested(Part)
    parts = fields.List(fields.Nested(Part))
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    never_there = fields.String()


@dataclass
class Thing:
    """Something with attributes."""

    name: str | None
    status: Status
    total: Any
    seen: bool
    created_at: datetime
    next_cursor: str | None
    part: Any
    parts: list[Any]
    counts: dict[str, int]


FACTS: dict[str, Any] = {
    "name": "cup",
    "status": Status.DONE,
    "total": Decimal(7),
    "seen": False,
    "created_at": NOON,
    "next_cursor": None,
    "part": {"number": 1, "share": 0.5},
    "parts": [{"number": 2}, {"number": 3, "share": None}],
    "counts": {"a": 1},
}
SHOWN = {
    "success": True,
    "status": "DONE",
    "longName": "cup",
    "total": 7,
    "seen": False,
    "createdAt": "2026-01-31T12:00:00.000Z",
    "nextCursor": None,
    "part": {"number": 1, "share": 0.5},
    "parts": [{"number": 2}, {"number": 3}],
    "counts": {"a": 1},
}


@pytest.mark.parametrize("thing", [FACTS, Thing(**FACTS)])
def test_each_kind_of_field_of_a_mapping_and_of_an_object(thing: Any) -> None:
    assert Whole().dump(thing) == SHOWN
    assert Whole().dump([thing, thing], many=True) == [SHOWN, SHOWN]


def test_it_is_what_marshmallow_shows_where_everything_is_set() -> None:
    everything = FACTS | {"next_cursor": "x", "never_there": "now", "parts": []}

    assert Whole().dump(everything) == marshmallow.Schema.dump(Whole(), everything)


def test_a_mapping_that_lacks_what_may_be_null_says_nothing_of_it() -> None:
    assert Whole().dump({"name": None}) == {"success": True}
