"""The yardstick: what a user would write who wants the same rows and messages, and nothing more.

Plain Flask and SQLAlchemy core on the product's own tables: no checks of what comes in, no limits,
no logs, no `Idempotency-Key`, no tags. A token is looked up where that costs nothing, as a part of
a statement that is needed anyway. The statements are made once and not with every request.

    POST /apply_async    write a job as the product does, and publish a message for each image
    POST /pipeline       the same, with the messages written by hand, in one Redis pipeline
    GET  /jobs/<id>      one job with its images
    GET  /jobs           the newest 20 jobs
"""

import hashlib
import os
from typing import Any, cast
from uuid import uuid4

import redis
from celery import Celery
from flask import Flask, abort, json, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Table, bindparam, create_engine, insert, select, update

from models.tables import CreditEntry, Instance, Item, Job

PRICE = 15
TASK = "optimize-next-image"
QUEUE = "replicate"

app = Flask(__name__)
engine = create_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=20)
broker = redis.Redis.from_url(os.environ["REDIS_URL"])
celery = Celery("bare", broker=os.environ["REDIS_URL"])
celery.conf.update(task_default_queue=QUEUE, task_ignore_result=True)

instances, entries, jobs, items = (
    cast("Table", each.__table__) for each in (Instance, CreditEntry, Job, Item)
)

CHARGE = (
    update(instances)
    .where(instances.c.token_hash == bindparam("owner"), instances.c.balance >= bindparam("cost"))
    .values(
        balance=instances.c.balance - bindparam("cost"),
        due_items=instances.c.due_items + bindparam("images"),
    )
    .returning(instances.c.id, instances.c.balance)
)
WRITE_JOB = insert(jobs).returning(jobs.c.id, jobs.c.status, jobs.c.created_at)
WRITE_ITEMS = insert(items)
WRITE_ENTRY = insert(entries)

# What is shown of a job and of an image, by its name there.
JOB = {
    "id": jobs.c.id,
    "productId": jobs.c.product_id,
    "productName": jobs.c.product_name,
    "status": jobs.c.status,
    "totalImages": jobs.c.total_images,
    "completedImages": jobs.c.completed_images,
    "failedImages": jobs.c.failed_images,
    "canceledImages": jobs.c.canceled_images,
    "createdAt": jobs.c.created_at,
    "startedAt": jobs.c.started_at,
    "finishedAt": jobs.c.finished_at,
    "retryOf": jobs.c.retry_of,
    "batchId": jobs.c.batch_id,
}
ITEM = {
    "id": items.c.id,
    "imageId": items.c.image_id,
    "imageUrl": items.c.image_url,
    "prompt": items.c.prompt,
    "aspectRatio": items.c.aspect_ratio,
    "outputFormat": items.c.output_format,
    "quality": items.c.quality,
    "model": items.c.model,
    "resolution": items.c.resolution,
    "referenceImageUrls": items.c.reference_urls,
    "status": items.c.status,
    "optimizedImageUrl": items.c.result_key,
    "error": items.c.error,
    "errorCode": items.c.error_code,
    "creditsCharged": items.c.credits,
    "createdAt": items.c.created_at,
    "updatedAt": items.c.updated_at,
}
OWN = jobs.c.instance_id == (
    select(instances.c.id).where(instances.c.token_hash == bindparam("owner")).scalar_subquery()
)
SHOW = (
    select(*JOB.values(), *ITEM.values())
    .join(items, items.c.job_id == jobs.c.id)
    .where(jobs.c.id == bindparam("job_id"), OWN)
    .order_by(items.c.position)
)
PAGE = select(*JOB.values()).where(OWN).order_by(jobs.c.id.desc()).limit(20)


@celery.task(name=TASK)
def optimize() -> None:
    """What a worker would do."""


@app.post("/apply_async")
def create_and_apply() -> ResponseReturnValue:
    """Write a job and have Celery publish its messages."""
    written = write(request.get_json())
    for _ in range(written["job"]["totalImages"]):
        optimize.apply_async()
    return jsonify(written), 201


@app.post("/pipeline")
def create_and_pipe() -> ResponseReturnValue:
    """Write a job and publish its messages by hand."""
    written = write(request.get_json())
    with broker.pipeline(transaction=False) as pipeline:
        for _ in range(written["job"]["totalImages"]):
            pipeline.lpush(QUEUE, message())
        pipeline.execute()
    return jsonify(written), 201


@app.get("/jobs/<int:job_id>")
def show(job_id: int) -> ResponseReturnValue:
    """Show a job and its images."""
    with engine.connect() as connection:
        rows = connection.execute(SHOW, {"owner": token_hash(), "job_id": job_id}).all()
    if not rows:
        abort(404)
    images = [dict(zip(ITEM, row[len(JOB) :], strict=True)) for row in rows]
    return jsonify(job=dict(zip(JOB, rows[0], strict=False)), items=images)


@app.get("/jobs")
def page() -> ResponseReturnValue:
    """Show the newest jobs."""
    with engine.connect() as connection:
        rows = connection.execute(PAGE, {"owner": token_hash()}).all()
    return jsonify(jobs=[dict(zip(JOB, row, strict=True)) for row in rows])


def write(order: dict[str, Any]) -> dict[str, Any]:
    """Charge the job and write it with its items, in one transaction."""
    images = order["images"]
    cost = PRICE * len(images)
    with engine.begin() as connection:
        charged = {"owner": token_hash(), "cost": cost, "images": len(images)}
        instance = connection.execute(CHARGE, charged).one_or_none()
        if instance is None:
            abort(402)
        facts = {"product_id": order["productId"], "product_name": order["productName"]}
        job = connection.execute(
            WRITE_JOB, {"instance_id": instance.id, "total_images": len(images), **facts}
        ).one()
        connection.execute(WRITE_ITEMS, [
            {
                "instance_id": instance.id,
                "job_id": job.id,
                "position": position,
                "image_id": image["imageId"],
                "image_url": image["imageUrl"],
                "prompt": image["prompt"],
                "aspect_ratio": "match_input_image",
                "output_format": "jpg",
                "credits": PRICE,
            }
            for position, image in enumerate(images)
        ])  # fmt: skip
        connection.execute(WRITE_ENTRY, {
            "instance_id": instance.id,
            "kind": "CHARGE",
            "amount": -cost,
            "balance_after": instance.balance,
            "reference": f"charge:job:{job.id}",
        })  # fmt: skip
    return {
        "success": True,
        "job": {
            "id": job.id,
            "productId": order["productId"],
            "productName": order["productName"],
            "status": job.status,
            "totalImages": len(images),
            "completedImages": 0,
            "failedImages": 0,
            "createdAt": job.created_at,
        },
        "creditsUsed": cost,
        "creditsRemaining": instance.balance,
    }


# `W1tdLCB7fS…`: no arguments, and nobody to be called afterwards.
BODY = (
    "W1tdLCB7fSwgeyJjYWxsYmFja3MiOiBudWxsLCAiZXJyYmFja3MiOiBudWxsLCAiY2hhaW4iOiBudWxsLCAiY2hvcmQi"
    "OiBudWxsfV0="
)


def message() -> str:
    """A message as a Celery worker takes it from Redis."""
    task_id = str(uuid4())
    return json.dumps({
        "body": BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": TASK,
            "id": task_id,
            "root_id": task_id,
            "parent_id": None,
            "group": None,
            "retries": 0,
            "timelimit": [None, None],
            "argsrepr": "()",
            "kwargsrepr": "{}",
            "origin": "bare",
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    })  # fmt: skip


def token_hash() -> str:
    """The hash of the bearer token that came with this request."""
    return hashlib.sha256(request.headers["Authorization"][len("Bearer ") :].encode()).hexdigest()
