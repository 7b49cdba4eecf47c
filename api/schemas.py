"""The shapes that go in and out, in camelCase."""

from functools import cached_property
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from api.fields import Digits, Moment, StatusList
from api.showing import Showing
from config.plans import PLANS
from models.tables import Status

MOST_IMAGES = 10


class Shape(Schema):
    """camelCase outside, snake_case inside; unknown fields are refused."""

    class Meta:
        """What comes in must be known."""

        unknown = RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field in camelCase unless it has another name already."""
        if field_obj.data_key is None:
            first, *rest = field_name.split("_")
            field_obj.data_key = first + "".join(word.capitalize() for word in rest)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return what is shown of `obj`, or of each of `many`.

        An optional key is absent rather than null, unless null says something. What is to be done
        is settled once (`api.showing`): marshmallow finds it out anew for every value.
        """
        if self.many if many is None else many:
            return [self._showing.show(each) for each in obj]
        return self._showing.show(obj)

    @cached_property
    def _showing(self) -> Showing:
        return Showing.by(self.dump_fields)


IMAGE_URL = {
    "description": "http or https, without a user's name or password. The host must be on the"
    " public internet: a full name, four plain numbers, or IPv6 in brackets. Or an upload's"
    " `imageUrl`.",
    "example": "https://shop.example/images/cup-front.jpg",
}
PREVIEW_URL = {
    "description": "The image scaled down, from this service's own origin. Needs no token; takes"
    " `?width=`. Absent where the image's address is too long for one."
}


class IdempotencyHeaders(Schema):
    """The header that makes a POST safe to repeat."""

    key = fields.String(
        data_key="Idempotency-Key",
        validate=validate.Regexp(
            r"^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$",
            error="Must be 1 to 255 printable ASCII characters.",
        ),
        metadata={
            "description": "The first answer is given again for 24 hours, and nothing is charged"
            " again. With another body: 422.",
        },
    )


class WaitingSchema(Shape):
    """Where something stands in the line while it waits. Both are absent where they are unknown."""

    queue_position = fields.Integer(
        metadata={
            "minimum": 1,
            "description": "Its place among the instance's own images that wait: 1 is sent next. Of"
            " a job: that of its first image that waits.",
        }
    )
    estimated_start_at = Moment(
        metadata={
            "description": "When it is expected to be sent, with what others have waiting taken"
            " into account: to ten seconds within the next minute, more coarsely after that."
        }
    )


class JobSchema(Shape):
    """A job as it was when it was created."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    product_id = fields.String(required=True)
    product_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(Status)))
    total_images = fields.Integer(required=True, metadata={"minimum": 1, "maximum": MOST_IMAGES})
    completed_images = fields.Integer(required=True)
    failed_images = fields.Integer(required=True)
    created_at = Moment(required=True)
    retry_of = fields.Integer(
        metadata={"minimum": 1, "description": "Of a retry: the job whose failed images it has."}
    )
    batch_id = fields.Integer(
        metadata={"minimum": 1, "description": "Of a job of a batch: which one it is."}
    )


class ProgressSchema(JobSchema, WaitingSchema):
    """A job with what became of it."""

    canceled_images = fields.Integer(required=True)
    started_at = Moment()
    finished_at = Moment()
    retried_by = fields.Integer(
        metadata={
            "minimum": 1,
            "description": "The job that is a retry of this one; shown of one job, not in lists.",
        }
    )


class ReceiptSchema(Shape):
    """What was ordered and what it cost."""

    success = fields.Constant(True, metadata={"type": "boolean", "enum": [True]})
    job = fields.Nested(JobSchema, required=True)
    credits_used = fields.Integer(required=True)
    credits_remaining = fields.Integer(required=True)


class JobsQuery(Shape):
    """Which jobs to list."""

    status = StatusList(
        metadata={
            "description": "Statuses with commas between them; all of them by default.",
            "pattern": "^({0})(,({0}))*$".format("|".join(Status)),
            "example": "PENDING,RUNNING",
        },
    )
    limit = Digits(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The `nextCursor` of the page before."},
    )


class JobPageSchema(Shape):
    """A page of jobs, newest first. `nextCursor` is null on the last one."""

    jobs = fields.List(fields.Nested(ProgressSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CreditsSchema(Shape):
    """What an instance has, and when it gets more."""

    balance = fields.Integer(required=True, metadata={"minimum": 0})
    plan = fields.String(required=True, validate=validate.OneOf(list(PLANS)))
    monthly_allotment = fields.Integer(required=True)
    resets_at = Moment(required=True)
    credits_per_image = fields.Integer(required=True)


class HealthSchema(Shape):
    """The process lives."""

    status = fields.String(required=True, validate=validate.OneOf(["ok"]))


class CheckSchema(Shape):
    """Whether the service can do its work; each check is ok or a word that says why not, and
    each that is not ok has a sentence that says what to do."""

    status = fields.String(required=True, validate=validate.OneOf(["ok", "failed"]))
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
    )
    advice = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ProblemSchema(Shape):
    """An error, after RFC 9457. `code` is stable; `detail` is for people."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Of invalid input: messages by the field's path."},
    )
    cost = fields.Integer(metadata={"description": "Of too few credits: what the job costs."})
    balance = fields.Integer(metadata={"description": "Of too few credits: what there is."})
    retried_by = fields.Integer(metadata={"description": "Of a job that was retried: as which."})
    limit = fields.Integer(metadata={"description": "Of a full queue: how many may wait."})
    waiting = fields.Integer(metadata={"description": "Of a full queue: how many do."})
