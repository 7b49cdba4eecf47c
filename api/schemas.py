"""The shapes that go in and out, in camelCase."""

from typing import Any

from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_dump,
    post_load,
    validate,
    validates_schema,
)

from api.fields import (
    Digits,
    Few,
    ImageUrl,
    Moment,
    PreviewUrl,
    Prompt,
    ResultUrl,
    StatusList,
    Text,
)
from config.plans import PLANS
from models.explanations import EXPLANATIONS
from models.orders import ImageOrder, JobOrder
from models.tables import Status

# As google/nano-banana takes them.
ASPECT_RATIOS = (
    "match_input_image", "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9",
)  # fmt: skip
OUTPUT_FORMATS = ("jpg", "png")
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

    @post_dump
    def _leave_out_what_is_not_set(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """An optional key is absent rather than null, unless null says something."""
        nullable = {field.data_key for field in self.fields.values() if field.allow_none}
        return {k: value for k, value in data.items() if value is not None or k in nullable}


IMAGE_URL = {
    "description": "http or https, without a user's name or password. The host must be on the"
    " public internet: a full name, four plain numbers, or IPv6 in brackets.",
    "example": "https://shop.example/images/cup-front.jpg",
}
PREVIEW_URL = {
    "description": "The image scaled down, from this service's own origin. Needs no token; takes"
    " `?width=`. Absent where the image's address is too long for one."
}


class ImageOrderSchema(Shape):
    """One image that is to be optimized."""

    image_id = Text(255, required=True, metadata={"example": "cup-front"})
    image_url = ImageUrl(required=True, metadata=IMAGE_URL)
    prompt = Prompt(2000, required=True, metadata={"example": "white background, brighter"})
    aspect_ratio = fields.String(
        load_default=ASPECT_RATIOS[0], validate=validate.OneOf(ASPECT_RATIOS)
    )
    output_format = fields.String(
        load_default=OUTPUT_FORMATS[0], validate=validate.OneOf(OUTPUT_FORMATS)
    )

    @post_load
    def _to_order(self, data: dict[str, Any], **_: Any) -> ImageOrder:
        return ImageOrder(**data)


class JobOrderSchema(Shape):
    """Up to 10 images of one product; no two of them have the same `imageId`."""

    product_id = Text(255, required=True, metadata={"example": "cup"})
    product_name = Text(500, required=True, metadata={"example": "The blue cup"})
    images = Few(fields.Nested(ImageOrderSchema), MOST_IMAGES, required=True)

    @validates_schema
    def _refuse_twins(self, data: dict[str, Any], **_: Any) -> None:
        ids = [image.image_id for image in data["images"]]
        twins = [n for n, image_id in enumerate(ids) if image_id in ids[:n]]
        if twins:
            message = {"imageId": ["Another image of this job has this id."]}
            raise ValidationError({"images": dict.fromkeys(twins, message)})

    @post_load
    def _to_order(self, data: dict[str, Any], **_: Any) -> JobOrder:
        return JobOrder(**data | {"images": tuple(data["images"])})


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


class ProgressSchema(JobSchema, WaitingSchema):
    """A job with what became of it."""

    canceled_images = fields.Integer(required=True)
    started_at = Moment()
    finished_at = Moment()


class ReceiptSchema(Shape):
    """What was ordered and what it cost."""

    success = fields.Constant(True, metadata={"type": "boolean", "enum": [True]})
    job = fields.Nested(JobSchema, required=True)
    credits_used = fields.Integer(required=True)
    credits_remaining = fields.Integer(required=True)


class ItemSchema(WaitingSchema):
    """One image of a job."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    image_id = fields.String(required=True)
    image_url = fields.String(required=True)
    preview_url = PreviewUrl(attribute="image_url", metadata=PREVIEW_URL)
    prompt = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(Status)))
    optimized_image_url = ResultUrl(
        attribute="result_key", metadata={"description": "Only of an image that is DONE."}
    )
    error = fields.String(metadata={"description": "Only of an image that has FAILED."})
    error_code = fields.String(
        validate=validate.OneOf(list(EXPLANATIONS)),
        metadata={"description": "Only of an image that has FAILED."},
    )
    retryable = fields.Boolean(
        metadata={
            "description": "Only of an image that has FAILED: whether ordering the same again makes"
            " sense."
        }
    )
    credits_charged = fields.Integer(
        required=True,
        metadata={"minimum": 0, "description": "0 where the credits were given back."},
    )
    created_at = Moment(required=True)
    updated_at = Moment(required=True)


class JobDetailSchema(Shape):
    """A job and its images in the order in which they were submitted."""

    job = fields.Nested(ProgressSchema, required=True)
    items = fields.List(fields.Nested(ItemSchema), required=True)


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
    limit = fields.Integer(metadata={"description": "Of a full queue: how many may wait."})
    waiting = fields.Integer(metadata={"description": "Of a full queue: how many do."})
