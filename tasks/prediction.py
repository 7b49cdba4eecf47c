"""What goes into a run of the model and what Replicate tells about it, read without trust."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from models.following import Creation
from models.orders import Turn

FINISHED = frozenset({"succeeded", "failed", "canceled", "aborted"})

_ID = re.compile(r"[a-z0-9]{1,64}")


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the model gets for one image: that one first in `image_urls`, then its references.
    `resolution` is for models that have several."""

    prompt: str
    image_urls: tuple[str, ...]
    aspect_ratio: str = "match_input_image"
    output_format: str = "jpg"
    resolution: str | None = None

    @classmethod
    def of(cls, wish: Turn | Creation) -> Self:
        """Return the input for an attempt's prediction."""
        return cls(
            wish.prompt, wish.image_urls, wish.aspect_ratio, wish.output_format, wish.resolution
        )

    def as_json(self) -> dict[str, object]:
        """Return the model's own input fields; Replicate's list shows them again as they were."""
        fields: dict[str, object] = {
            "prompt": self.prompt,
            "image_input": list(self.image_urls),
            "aspect_ratio": self.aspect_ratio,
            "output_format": self.output_format,
        }
        return fields | ({"resolution": self.resolution} if self.resolution else {})

    def is_input_of(self, prediction: "Prediction") -> bool:
        """Tell whether the prediction was made with it; Replicate may show more fields."""
        return self.as_json().items() <= prediction.input.items()


@dataclass(frozen=True, slots=True)
class Prediction:
    """One run of a model as Replicate tells it; `output` is the first result's URL, and `model` is
    None where it is not told.

    `status` is starting, processing, succeeded, failed, canceled or aborted. It is kept as it came,
    so that a status which is new tomorrow counts as not finished.
    """

    id: str
    status: str
    output: str | None
    error: str | None
    input: dict[str, object]
    created_at: datetime | None
    completed_at: datetime | None
    data_removed: bool
    model: str | None = None

    @property
    def finished(self) -> bool:
        """Tell whether nothing more will happen to it."""
        return self.status in FINISHED


def is_prediction_id(value: object) -> bool:
    """Tell whether it may stand in a path: `../models/a` would be followed."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def read_prediction(document: object) -> Prediction | None:
    """Read one prediction from parsed JSON; None where it has no usable id or status."""
    if not isinstance(document, dict) or not is_prediction_id(document.get("id")):
        return None
    if not isinstance(document.get("status"), str):
        return None
    given = document.get("input")
    return Prediction(
        id=document["id"],
        status=document["status"],
        output=_first_url(document.get("output")),
        error=_text(document.get("error")),
        input=given if isinstance(given, dict) else {},
        created_at=_moment(document.get("created_at")),
        completed_at=_moment(document.get("completed_at")),
        data_removed=document.get("data_removed") is True,
        model=_model(document.get("model")),
    )


def _first_url(output: object) -> str | None:
    first = output[0] if isinstance(output, list) and output else output
    return first if isinstance(first, str) else None


def _text(error: object) -> str | None:
    """PostgreSQL takes no NUL, and a model's error may be any JSON."""
    if error is None:
        return None
    return (error if isinstance(error, str) else json.dumps(error)).replace("\0", "")


def _model(told: object) -> str | None:
    """Its name without a version; what has another form is not a name, and tells nothing."""
    name = told.partition(":")[0] if isinstance(told, str) else ""
    return name if "/" in name else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None
