"""Read what a create asks for, strictly: the refusals are Replicate's 422s."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.replicate.answers import Refusal, problem
from sandbox.replicate.failures import outcome_in
from sandbox.replicate.knobs import Outcome
from sandbox.replicate.models import MODELS, MOST_IMAGES, Model
from sandbox.replicate.predictions import Prediction
from sandbox.replicate.webhooks import EVENTS

UNITS = {"h": 3600, "m": 60, "s": 1}


def read_order(
    model: str, body: dict[str, Any], size: int, headers: Mapping[str, str], base: str
) -> Prediction:
    """Return the prediction that a body of `size` bytes asks of that model; raises `Refusal`."""
    given = _input(MODELS[model], body.get("input"))
    return Prediction(
        base=base,
        model=model,
        input=given,
        size=size,
        webhook=_webhook(body.get("webhook")),
        events=_events(body.get("webhook_events_filter")),
        cancel_after=_cancel_after(headers.get("Cancel-After")),
        outcome=outcome_in(given["prompt"]) or Outcome("succeeded"),
    )


def wait_seconds(prefer: str) -> float | None:
    """Return how long `Prefer: wait[=n]` waits: 1 to 60 seconds, 60 where it does not say."""
    found = re.search(r"(?:^|[\s,;])wait(?:=(\d+))?(?:$|[\s,;])", prefer)
    if found is None:
        return None
    return min(60.0, max(1.0, float(found[1] or 60)))


def _input(model: Model, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _invalid("input", "input is required")
    if not isinstance(given.get("prompt"), str):
        raise _invalid("prompt", "prompt is required")
    images = given.get("image_input", [])
    if not isinstance(images, list) or not all(isinstance(url, str) for url in images):
        raise _invalid("image_input", "Invalid type. Expected: array of uri")
    if len(images) > MOST_IMAGES:
        raise _invalid("image_input", f"at most {MOST_IMAGES} images are supported")
    _one_of(given, "aspect_ratio", model.ratios)
    _one_of(given, "output_format", ("jpg", "png"))
    if model.resolutions:
        _one_of(given, "resolution", model.resolutions)
    return given


def _one_of(given: dict[str, Any], name: str, allowed: tuple[str, ...]) -> None:
    if name in given and given[name] not in allowed:
        raise _invalid(name, f"{name} must be one of the following: {', '.join(allowed)}")


def _webhook(url: object) -> str | None:
    if url is None or (isinstance(url, str) and re.match(r"https?://[^/\s]", url)):
        return url
    raise Refusal(problem(422, "webhook must be an http or https URL", "Input validation failed"))


def _events(given: object) -> tuple[str, ...]:
    if given is None:
        return EVENTS
    if isinstance(given, list) and all(event in EVENTS for event in given):
        return tuple(given)
    detail = f"webhook_events_filter must be a list of {', '.join(EVENTS)}"
    raise Refusal(problem(422, detail, "Input validation failed"))


def _cancel_after(text: str | None) -> float | None:
    """Return the seconds of `90`, `90s`, `5m` or `1h30m`: 5 seconds to 24 hours."""
    if text is None:
        return None
    parts = re.findall(r"(\d+)([hms])", text if not text.isdigit() else text + "s")
    seconds = sum(int(count) * UNITS[unit] for count, unit in parts)
    if not re.fullmatch(r"(\d+|(\d+[hms])+)", text) or not 5 <= seconds <= 86_400:
        raise Refusal(problem(422, "Cancel-After must be from 5s to 24h", "Invalid header"))
    return float(seconds)


def _invalid(name: str, reason: str) -> Refusal:
    fields = [{"type": "invalid", "field": f"input.{name}", "description": reason}]
    detail = f"- input.{name}: {reason}\n"
    return Refusal(problem(422, detail, "Input validation failed", invalid_fields=fields))
