"""POST /api/webhooks/replicate/…: Replicate tells that a prediction has ended."""

import json

import structlog
from flask import request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from api import current
from api.openapi import Blueprint
from api.problems import InvalidInput, NotAuthenticated
from tasks.prediction import read_prediction
from tasks.webhooks import PATH

# A prediction with its logs may be larger than what a shop sends.
LARGEST_BODY = 2**20

blp = Blueprint("webhooks", PATH.rstrip("/"), "Hear from Replicate.", private=False)

SIGNED = {
    "requestBody": {
        "required": True,
        "description": "The prediction, signed after Standard Webhooks: `webhook-id`,"
        " `webhook-timestamp`, `webhook-signature`.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@blp.route("/<reference:reference>", methods=["POST"])
@blp.doc(**SIGNED)
@blp.response(204, description="It will be looked at.")
@blp.refuses(401, 404, 413, 503)
def hear_of_prediction(reference: str) -> None:
    """Hear that a prediction has ended.

    The body is only a hint: a housekeeper asks Replicate.
    """
    prediction_id = _prediction_id(_signed_body())
    structlog.contextvars.bind_contextvars(prediction=prediction_id)
    if not current.parts().waker.heed(reference, prediction_id):
        # Replicate sends it again for a minute; after that the sweep finds out by itself.
        raise ServiceUnavailable


def _signed_body() -> bytes:
    request.max_content_length = LARGEST_BODY + 1
    body = request.get_data()
    if len(body) > LARGEST_BODY:
        raise RequestEntityTooLarge
    secrets = current.settings().replicate_webhook_secret
    # While a secret is being rotated, either of two may be right.
    if not any(_is_signed(body, secret) for secret in secrets):
        raise NotAuthenticated("The signature of this webhook is not right, or too old.")
    return body


def _is_signed(body: bytes, secret: str) -> bool:
    """Five minutes are tolerated; what is malformed raises one error or another."""
    try:
        Webhook(secret).verify(body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _prediction_id(body: bytes) -> str:
    try:
        prediction = read_prediction(json.loads(body))
    except (ValueError, RecursionError):
        prediction = None
    if prediction is None:
        raise InvalidInput({"body": ["This is no prediction."]})
    return prediction.id
