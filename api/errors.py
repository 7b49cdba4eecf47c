"""One table from what can go wrong to what a client is told; no view catches anything."""

import math
from dataclasses import dataclass, field

import structlog
from flask import Flask, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug import exceptions as http

from api import current
from api.catalogue.errors import CatalogueNotConnected, CatalogueUnavailable
from api.cleaning import Unusable
from api.problems import InvalidInput, NotAuthenticated, camel_case, problem
from api.receiving import NotAForm, TooSlow
from api.rooms import CatalogueFull, PicturesFull, StreamsFull, UploadsFull
from api.scaling import Unscalable
from models import errors as domain
from tasks.source_pictures import SourceSlow, SourceUnavailable
from tasks.storage import StorageUnavailable

log = structlog.get_logger(__name__)

# So long a page that shows many pictures does not ask again for one that is not there.
SHORTLY = {"Cache-Control": "public, max-age=30"}
BUSY = {"Retry-After": "1"}
DATABASE_AWAY = "The database cannot be reached just now. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Kind:
    """How an error is answered. Without a fixed `detail` the error's own text is told, with its
    attributes `facts`; one that is `ours` is logged, because no client can mend it."""

    status: int
    code: str
    detail: str = ""
    facts: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    ours: bool = False


_UNREACHABLE = Kind(503, "database_unavailable", DATABASE_AWAY, headers=BUSY, ours=True)
_NO_PICTURE = Kind(
    404,
    "preview_unavailable",
    "There is no picture to be shown at this address: it must be open to everybody, and a JPEG,"
    " PNG, WebP, GIF or AVIF of a moderate size.",
    headers=SHORTLY,
)

KINDS: dict[type[Exception], Kind] = {
    InvalidInput: Kind(400, "invalid_input", facts=("errors",)),
    Unusable: Kind(400, "unusable_picture", facts=("errors",)),
    domain.UnknownUpload: Kind(400, "unknown_upload"),
    NotAuthenticated: Kind(401, "unauthorized", headers={"WWW-Authenticate": "Bearer"}),
    domain.InstanceDisabled: Kind(401, "unauthorized", headers={"WWW-Authenticate": "Bearer"}),
    domain.InsufficientCredits: Kind(402, "insufficient_credits", facts=("cost", "balance")),
    domain.NotFound: Kind(404, "not_found"),
    domain.AlreadyExists: Kind(409, "already_exists"),
    domain.UploadInUse: Kind(409, "upload_in_use"),
    domain.AlreadyFinished: Kind(409, "already_finished"),
    domain.AlreadyCanceled: Kind(409, "already_canceled"),
    domain.CancelRequested: Kind(409, "cancel_requested"),
    domain.JobUnfinished: Kind(409, "job_unfinished"),
    domain.AlreadyRetried: Kind(409, "already_retried", facts=("retried_by",)),
    domain.NothingToRetry: Kind(409, "nothing_to_retry"),
    domain.TooManyEndpoints: Kind(409, "too_many_webhook_endpoints"),
    domain.EndpointDisabled: Kind(409, "webhook_endpoint_disabled"),
    domain.ModelNotOffered: Kind(409, "model_not_offered"),
    domain.PresetExists: Kind(409, "preset_exists"),
    domain.TooManyPresets: Kind(409, "too_many_presets"),
    domain.IdempotencyKeyInUse: Kind(409, "idempotency_key_in_use", headers=BUSY),
    domain.IdempotencyKeyReused: Kind(422, "idempotency_key_reused"),
    http.BadRequest: Kind(400, "bad_request", "The request cannot be read."),
    http.NotFound: Kind(404, "not_found", "There is nothing at this address."),
    http.MethodNotAllowed: Kind(
        405, "method_not_allowed", "This address knows other methods only: see Allow."
    ),
    TooSlow: Kind(
        408,
        "upload_too_slow",
        "The upload took too long. Send it over a faster connection, or make the file smaller.",
    ),
    http.PreconditionFailed: Kind(
        412, "precondition_failed", "What is here is not what If-Match names."
    ),
    http.RequestEntityTooLarge: Kind(
        413, "body_too_large", "The body is larger than is read here."
    ),
    http.UnsupportedMediaType: Kind(
        415, "not_json", "Send the body as Content-Type: application/json, not compressed."
    ),
    NotAForm: Kind(
        415,
        "not_a_form",
        "Send it as multipart/form-data, not compressed, in the field file.",
    ),
    http.RequestedRangeNotSatisfiable: Kind(
        416, "range_not_satisfiable", "The image is shorter than the range asked for."
    ),
    http.TooManyRequests: Kind(
        429, "too_many_requests", "This instance asks too often. Wait as Retry-After says."
    ),
    domain.QueueFull: Kind(429, "queue_full", facts=("limit", "waiting")),
    http.InternalServerError: Kind(
        500, "internal_error", "Something went wrong here. The request id helps to find it."
    ),
    http.ServiceUnavailable: Kind(
        503, "unavailable", "This cannot be taken just now. Send it again.", headers=BUSY
    ),
    SourceUnavailable: _NO_PICTURE,
    Unscalable: _NO_PICTURE,
    SourceSlow: Kind(
        503,
        "preview_delayed",
        "The host of this picture does not answer just now. Try again in a while.",
        headers={"Retry-After": "30"} | SHORTLY,
    ),
    PicturesFull: Kind(
        503,
        "previews_busy",
        "Too many pictures are asked for just now. Try again in a moment.",
        headers=BUSY,
    ),
    UploadsFull: Kind(
        503,
        "uploads_busy",
        "Too many pictures are being uploaded just now. Try again in a moment.",
        headers={"Retry-After": "2"},
    ),
    CatalogueFull: Kind(
        503,
        "catalogue_busy",
        "Too many shops are asked for their products just now. Try again in a moment.",
        headers=BUSY,
    ),
    StreamsFull: Kind(
        503,
        "streams_busy",
        "Too many jobs are followed live just now. Ask for the job every few seconds instead.",
        headers={"Retry-After": "30"},
    ),
    StorageUnavailable: Kind(
        503,
        "storage_unavailable",
        "The storage of pictures cannot be reached just now. Try again in a moment.",
        headers=BUSY,
        ours=True,
    ),
    CatalogueNotConnected: Kind(409, "catalogue_not_connected"),
    CatalogueUnavailable: Kind(
        503,
        "catalogue_unavailable",
        "The shop's products cannot be read just now. Try again in a moment.",
        headers={"Retry-After": "5"},
        ours=True,
    ),
    OperationalError: _UNREACHABLE,
    InterfaceError: _UNREACHABLE,
    PoolTimeout: _UNREACHABLE,
}


def register(app: Flask) -> None:
    """Have every kind of error answered from the table."""
    for kind in (*KINDS, http.HTTPException):
        app.register_error_handler(kind, answer)


def answer(error: Exception) -> Response:
    """Return the problem that tells a client about `error`, and nothing internal."""
    kind = _kind_of(error)
    if kind.ours:
        log.warning("request failed", code=kind.code, error=_first_line(error))
    facts = {camel_case(name): getattr(error, name) for name in kind.facts}
    return problem(
        kind.status, kind.code, kind.detail or str(error), facts, _headers(error) | kind.headers
    )


def _kind_of(error: Exception) -> Kind:
    for ancestor in type(error).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    assert isinstance(error, http.HTTPException)
    assert error.code is not None
    return Kind(error.code, error.name.lower().replace(" ", "_"), error.name)


def _first_line(error: Exception) -> str:
    """Where SQLAlchemy's text goes on, it tells the statement with its values."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _headers(error: Exception) -> dict[str, str]:
    """Those that only the error itself can tell: what werkzeug's own bring with them (Allow,
    Content-Range, Retry-After), and when a full queue may have room."""
    if isinstance(error, domain.QueueFull):
        return {"Retry-After": str(_seconds_to_send(error.excess))}
    if not isinstance(error, http.HTTPException):
        return {}
    return {name: value for name, value in error.get_headers() if name != "Content-Type"}


def _seconds_to_send(images: int) -> int:
    """How long so many take when all slots are one shop's: before that there is hardly room."""
    limit = current.settings().replicate_rate_limit
    return math.ceil(images * limit.window / limit.count)
