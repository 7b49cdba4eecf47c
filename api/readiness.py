"""Whether this process can do its work: each part's state in a word."""

import redis
from sqlalchemy.exc import SQLAlchemyError

from api import current
from models import following, reports, revisions

OK = "ok"
# What to do next, by check and word. It tells of no address and no version: anybody may ask.
ADVICE = {
    "database": {"unreachable": "Start PostgreSQL or mend DATABASE_URL; nothing else helps."},
    "migrations": {
        "outdated": "Run `flask --app wsgi db upgrade`, or start the release the database is at.",
        "unknown": "Mend the database first.",
    },
    "sweep": {
        "never": "Start a housekeeper: `celery -A tasks worker -Q housekeeping`.",
        "late": "Is a housekeeper running, and does its log tell of errors? Restart it.",
        "unknown": "Mend the database and its migrations first.",
    },
    "broker": {
        "unreachable": "Start Redis or mend REDIS_URL; orders are kept and sent when it is back."
    },
}
# Three sweeps of the longest interval: one may be late, three mean that nobody sweeps.
LATEST_SWEEP = 90.0


def checks() -> dict[str, str]:
    """Return `ok`, or what is wrong, of everything that a job needs."""
    return {**_database(), "broker": _broker()}


def advice(checks: dict[str, str]) -> dict[str, str]:
    """What to do about each check that is not ok."""
    return {name: ADVICE[name][word] for name, word in checks.items() if word != OK}


def _database() -> dict[str, str]:
    """One failure to connect answers for all three, so that it is waited for once.

    Before the migrations there may be no table to ask about the sweep.
    """
    try:
        migrations = _migrations()
        sweep = _sweep() if migrations == OK else "unknown"
    except SQLAlchemyError:
        return {"database": "unreachable", "migrations": "unknown", "sweep": "unknown"}
    return {"database": OK, "migrations": migrations, "sweep": sweep}


def _migrations() -> str:
    return OK if reports.revision() == revisions.newest() else "outdated"


def _sweep() -> str:
    seconds = following.seconds_since("sweep")
    if seconds is None:
        return "never"
    return OK if seconds <= LATEST_SWEEP else "late"


def _broker() -> str:
    try:
        current.parts().redis.ping()
    except redis.RedisError:
        return "unreachable"
    return OK
