"""The shapes of what an instance has used: analytics and credit entries."""

import re
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Digits, Moment
from api.schemas import Shape
from models.explanations import EXPLANATIONS
from models.tables import EntryKind

MOST_DAYS = 366
EARLIEST = date(2000, 1, 1)


class Day(fields.Date):
    """A day as RFC 3339 writes it: marshmallow alone takes weeks and days without hyphens too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            validate=validate.Range(min=EARLIEST, error="Must not be before the year 2000."),
            **options,
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> date:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValidationError("Must be a day like 2026-01-31.")
        return super()._deserialize(value, attr, data, **kwargs)


def day(text: str) -> Day:
    """A day in a query."""
    return Day(metadata={"description": text, "example": "2026-01-31"})


class DaysQuery(Shape):
    """From which day to which, in UTC and both included."""

    since = day("The first day.")
    until = day("The last day.")

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """`from` is no name for an attribute."""
        names = {"since": "from", "until": "to"}
        field_obj.data_key = names.get(field_name)
        super().on_bind_field(field_name, field_obj)

    @validates_schema
    def _refuse_backwards(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("since", date.min) > data.get("until", date.max):
            raise ValidationError({"from": ["Must not be after `to`."]})


class UsageQuery(DaysQuery):
    """From which day to which, in UTC and both included: the last 30 days by default, 366 at the
    most."""


class UsageDaySchema(Shape):
    """The images that became final on a day (UTC), and the credits that they cost."""

    date = fields.Date(required=True)
    done = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    canceled = fields.Integer(required=True)
    reused = fields.Integer(
        required=True,
        metadata={"description": "Of `done`: those for which an earlier result was taken."},
    )
    credits_spent = fields.Integer(
        required=True, metadata={"description": "What was given back is not among them."}
    )


class TotalsSchema(Shape):
    """The sums of all days."""

    images = fields.Integer(required=True)
    done = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    canceled = fields.Integer(required=True)
    reused = fields.Integer(required=True)
    credits_spent = fields.Integer(required=True)
    success_rate = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "minimum": 0,
            "maximum": 1,
            "description": "`done` of `done` and `failed`; null where there is neither.",
        },
    )


SECONDS = "Within 5 %, without images that were reused; null without any."


class DurationSchema(Shape):
    """How long it took from the order to the result."""

    median_seconds = fields.Float(required=True, allow_none=True, metadata={"description": SECONDS})
    p95_seconds = fields.Float(required=True, allow_none=True, metadata={"description": SECONDS})


class FailureSchema(Shape):
    """How many images failed for a reason."""

    error_code = fields.String(required=True, validate=validate.OneOf(list(EXPLANATIONS)))
    images = fields.Integer(required=True, metadata={"minimum": 1})
    sentence = fields.String(required=True)


class FavouriteSchema(Shape):
    """How many images had a prompt."""

    prompt = fields.String(required=True)
    images = fields.Integer(required=True, metadata={"minimum": 1})


class UsageSchema(Shape):
    """What an instance used in some days."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    totals = fields.Nested(TotalsSchema, required=True)
    duration = fields.Nested(DurationSchema, required=True)
    days = fields.List(
        fields.Nested(UsageDaySchema),
        required=True,
        metadata={"description": "Every day, also those on which there was nothing."},
    )
    errors = fields.List(
        fields.Nested(FailureSchema),
        required=True,
        metadata={"description": "The most frequent one at first."},
    )
    favourite_prompts = fields.List(
        fields.Nested(FavouriteSchema),
        required=True,
        metadata={
            "description": "The ten most frequent ones of all months that these days touch, whole"
            " months counted: prompts are not counted by the day."
        },
    )


class EntriesQuery(DaysQuery):
    """Which credit entries to list."""

    limit = Digits(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The `nextCursor` of the page before."},
    )


class EntrySchema(Shape):
    """One change of the balance."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    kind = fields.String(required=True, validate=validate.OneOf(list(EntryKind)))
    amount = fields.Integer(required=True, metadata={"description": "Negative where it was spent."})
    balance_after = fields.Integer(required=True, metadata={"minimum": 0})
    reference = fields.String(
        required=True,
        metadata={"description": "What it was booked for, like `charge:job:12`; it is unique."},
    )
    created_at = Moment(required=True)


class EntryPageSchema(Shape):
    """A page of credit entries, newest first. `nextCursor` is null on the last one."""

    entries = fields.List(fields.Nested(EntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


USAGE = {
    "from": "2026-01-30",
    "to": "2026-01-31",
    "totals": {
        "images": 9,
        "done": 7,
        "failed": 1,
        "canceled": 1,
        "reused": 1,
        "creditsSpent": 105,
        "successRate": 0.875,
    },
    "duration": {"medianSeconds": 17.1, "p95Seconds": 31.6},
    "days": [
        {
            "date": "2026-01-30",
            "done": 0,
            "failed": 0,
            "canceled": 0,
            "reused": 0,
            "creditsSpent": 0,
        },
        {
            "date": "2026-01-31",
            "done": 7,
            "failed": 1,
            "canceled": 1,
            "reused": 1,
            "creditsSpent": 105,
        },
    ],
    "errors": [
        {
            "errorCode": "bad_image_url",
            "images": 1,
            "sentence": EXPLANATIONS["bad_image_url"].sentence,
        }
    ],
    "favouritePrompts": [{"prompt": "white background, brighter", "images": 9}],
}
CSV = (
    "date,done,failed,canceled,reused,creditsSpent\r\n"
    "2026-01-30,0,0,0,0,0\r\n2026-01-31,7,1,1,1,105\r\n"
)
ENTRIES = {
    "entries": [
        {
            "id": 7,
            "kind": "CHARGE",
            "amount": -30,
            "balanceAfter": 120,
            "reference": "charge:job:12",
            "createdAt": "2026-01-31T09:30:00.000Z",
        },
        {
            "id": 4,
            "kind": "RESET",
            "amount": 150,
            "balanceAfter": 150,
            "reference": "reset:3:2026-01",
            "createdAt": "2026-01-02T08:00:00.000Z",
        },
    ],
    "nextCursor": None,
}
