"""The layers that an image's CPU is told apart by: what stands before a colon is the layer."""

from collections.abc import Mapping

LOOP = "Celery: taking messages, acknowledging them, events"
AROUND = "Celery: into a task and out of it"
SEND = "Celery: sending messages"
MODELS = "SQL: models and SQLAlchemy"
DRIVER = "SQL: the driver, and SQLite itself"
HTTP = "HTTP: create, poll, download"
REDIS = "Redis: limiter and counters"
STORAGE = "Storage: writing the result"
NATIVE = "Storage: its own threads"
PICTURE = "Picture: decoding it to check it"
LOGS = "Logging"
FLOW = "The tasks themselves"
ALL = (LOOP, AROUND, SEND, MODELS, DRIVER, HTTP, REDIS, STORAGE, NATIVE, PICTURE, LOGS, FLOW)


def coarse(layers: Mapping[str, float]) -> dict[str, float]:
    """The sums of what stands before the colons."""
    sums: dict[str, float] = {}
    for name, figure in layers.items():
        word = name.partition(":")[0]
        sums[word] = sums.get(word, 0.0) + figure
    return sums
