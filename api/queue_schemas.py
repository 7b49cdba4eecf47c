"""What an instance sees of the queue."""

from marshmallow import fields, validate

from api.fields import Moment
from api.schemas import Shape, WaitingSchema

PAUSE_REASONS = {
    "throttled": "Replicate asked for some time: it goes on by itself",
    "unreachable": "Replicate does not answer: it is tried again by itself",
    "operator": "whoever runs this service has stopped it, or has to do something",
    "unavailable": "Darkroom's own queue does not answer",
}


class LimitSchema(Shape):
    """How many images are sent in how much time, of all instances together."""

    images = fields.Integer(required=True, metadata={"minimum": 1})
    seconds = fields.Float(required=True)


class QueueSchema(WaitingSchema):
    """What the instance has in the queue, and whether the queue moves."""

    paused = fields.Boolean(
        required=True, metadata={"description": "Whether nothing is sent just now."}
    )
    pause_reason = fields.String(
        validate=validate.OneOf(list(PAUSE_REASONS)),
        metadata={
            "description": "Only while it is paused. "
            + "; ".join(f"`{word}`: {meaning}" for word, meaning in PAUSE_REASONS.items())
            + "."
        },
    )
    resumes_at = Moment(
        metadata={"description": "When it goes on by itself; absent where nobody can tell."}
    )
    limit = fields.Nested(LimitSchema, required=True)
    waiting_images = fields.Integer(
        required=True, metadata={"minimum": 0, "description": "The instance's own."}
    )
    running_images = fields.Integer(
        required=True, metadata={"minimum": 0, "description": "The instance's own."}
    )
    estimated_end_at = Moment(
        metadata={
            "description": "When the last image of the instance that waits is expected to be sent;"
            " the model takes some seconds more. Absent where it cannot be told."
        }
    )
