"""Examples of canceled and retried jobs for the OpenAPI document."""

from api.examples import ITEM, JOB, PROGRESS, RECEIPT

_COUNTS = {"completedImages": 0, "failedImages": 0, "canceledImages": 1}
_WAITED = ITEM | {"id": 32, "imageId": "cup-top", "status": "CANCELED", "creditsCharged": 0}
CANCELED = {
    "job": PROGRESS | _COUNTS | {"status": "CANCELED", "totalImages": 1},
    "items": [_WAITED],
}
_UNDER_WAY = {name: value for name, value in PROGRESS.items() if name != "finishedAt"}
ASKED = {
    "job": _UNDER_WAY | _COUNTS | {"status": "RUNNING"},
    "items": [
        ITEM | {"status": "RUNNING", "cancelRequestedAt": "2026-01-31T09:30:18.125Z"},
        _WAITED,
    ],
}
RETRY = RECEIPT | {
    "job": JOB | {"id": 14, "totalImages": 1, "retryOf": 12},
    "creditsUsed": 15,
    "creditsRemaining": 105,
}
