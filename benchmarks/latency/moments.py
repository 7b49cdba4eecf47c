"""Putting the life of each image together: from the stand-in, the database and the logs."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal_column, select

from benchmarks.latency.life import Life
from benchmarks.latency.lines import CREATED, DONE, received
from benchmarks.latency.whole import Whole
from models.database import db
from models.tables import Attempt, AttemptStatus, Item, Job
from tests.service import Process, wait_until

# The row says when the UPDATE began; only the transaction's own record says when others saw it.
COMMITTED = func.pg_xact_commit_timestamp(literal_column("image_optimization_attempts.xmin"))
ROWS = (
    select(
        Attempt.prediction_id, Attempt.item_id, Attempt.checks, Item.job_id,
        Job.created_at.label("written"), Attempt.created_at.label("claimed"),
        Attempt.ended_at.label("closed"), COMMITTED.label("done"),
    )
    .join(Item, Item.id == Attempt.item_id)
    .join(Job, Job.id == Item.job_id)
    .where(Attempt.status == AttemptStatus.ENDED)
)  # fmt: skip


def lives(whole: Whole, posted: Mapping[int, float]) -> list[Life]:
    """The life of the image of each job that was posted, by the job's id."""
    rows = [row for row in _rows(whole) if row["job_id"] in posted]
    items = {row["item_id"] for row in rows}
    woken = _received(whole.worker, CREATED, items)
    heard = _received(whole.housekeeper, DONE, items)
    seen = _seen(whole)
    return [
        Life(
            posted=posted[row["job_id"]],
            woken=woken[row["item_id"]],
            heard=heard[row["item_id"]],
            checks=row["checks"],
            **seen[row["prediction_id"]],
            **{name: row[name].timestamp() for name in ("written", "claimed", "closed", "done")},
        )
        for row in rows
    ]


def _received(process: Process, said: re.Pattern[str], items: set[int]) -> dict[int, float]:
    """As soon as the log has a line for each: a task's own comes after what it did."""
    wait_until(lambda: items <= received(process.log, said).keys(), "the log of every image")
    return received(process.log, said)


def _rows(whole: Whole) -> list[Mapping[str, Any]]:
    with whole.room.app.app_context(), db.engine.connect() as connection:
        return [dict(row) for row in connection.execute(ROWS).mappings()]


def _seen(whole: Whole) -> dict[str, dict[str, float]]:
    """What the stand-in saw of each prediction: its create, its end, and those who asked last."""
    stand_in = whole.room.stand_in
    at: dict[tuple[str, str], float] = {}
    for request in stand_in.requests():
        at[request["method"], request["path"]] = request["wall"]
        if request["prediction"]:
            at["create", request["prediction"]] = request["wall"]
    return {
        each["id"]: {
            "created": at["create", each["id"]],
            "ended": datetime.fromisoformat(each["completed_at"]).timestamp(),
            "asked": at["GET", f"/v1/predictions/{each['id']}"],
            "fetched": at["GET", each["output"].removeprefix(stand_in.url)],
        }
        for each in stand_in.predictions()
    }
