"""`retention run`, `instances export` and `instances erase`, as an operator types them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import insert, select, update

from api import current
from models import accounts, lifecycle
from models.clock import from_now
from models.database import db
from models.tables import (
    Attempt,
    AuditEntry,
    CreditEntry,
    DailyCount,
    IdempotencyKey,
    Instance,
    Item,
    Job,
    MonthlyPrompt,
    PromptPreset,
    Status,
    UnwantedFile,
    Upload,
    WebhookDelivery,
    WebhookEndpoint,
)
from tasks.erasing import erase
from tasks.retention import Broom
from tasks.storage import Storage
from tests.commands.service import with_commands
from tests.databases import check_promises, settings_for
from tests.old_jobs import PICTURE, finish_all, ids, litter, make_old, old_job, read, reuse, write
from tests.shop import open_shop, submit

UPLOAD = f"{'a' * 32}.jpg"
SECRETS = ("whsec_alice", "token", "replicate.example")


@pytest.fixture
def app(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The service with a storage of its own."""
    stored = f"file://{tmp_path}/results"
    app = with_commands(settings_for(database_url, redis_url=redis_url, storage_url=stored))
    with app.app_context():
        try:
            yield app
            check_promises()
        finally:
            db.engine.dispose()


@pytest.fixture
def storage(app: Flask) -> Storage:
    return current.parts().storage


@pytest.fixture
def shell(app: Flask) -> FlaskCliRunner:
    """Where an operator types."""
    return app.test_cli_runner()


def fill(storage: Storage) -> int:
    """Alice has something of everything, of two months ago; Bob has a job and its result."""
    alice = open_shop("alice")
    old_job(storage, open_shop("bob"))
    old_job(storage, alice, images=2)
    storage.put(UPLOAD, PICTURE, "image/jpeg")
    past = from_now(-5_000_000)
    own: dict[str, Any] = {"instance_id": alice}
    endpoint = own | {"url": "https://alice.example", "events": [], "secret": "whsec_alice"}
    photo = own | {"key": UPLOAD, "sha256": "", "content_type": "image/jpeg", "bytes": 1}
    photo |= {"width": 1, "height": 1, "provider_url": "https://replicate.example"}
    for table, facts in (
        (WebhookEndpoint, endpoint | {"created_at": past, "version": 1}),
        (Upload, photo | {"created_at": past, "last_used_at": past}),
        (PromptPreset, own | {"name": "bright", "prompt": "brighter", "options": {},
                              "created_at": past, "updated_at": past}),
    ):  # fmt: skip
        db.session.execute(insert(table).values(**facts))
    told = {"endpoint_id": select(WebhookEndpoint.id).scalar_subquery(), "message_id": "m",
            "event": "test", "status": "DELIVERED", "attempts": 1, "created_at": past,
            "finished_at": past}  # fmt: skip
    db.session.execute(insert(WebhookDelivery).values(**own, **told))
    db.session.commit()
    return alice


def run(shell: FlaskCliRunner, *words: str) -> Result:
    """What an operator sees."""
    return shell.invoke(args=list(words))


def erase_alice(shell: FlaskCliRunner) -> Result:
    return run(shell, "instances", "erase", "alice", "--yes-erase", "alice", "--actor", "olga")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_retention_by_hand_says_first_what_it_will_delete(
    shell: FlaskCliRunner, storage: Storage
) -> None:
    fill(storage)
    recent = submit(1, product="mug").job.id
    (kept_file,) = finish_all(storage)
    make_old(recent, seconds=2 * 86_400)

    unset = run(shell, "retention", "run")
    short = run(shell, "retention", "run", "--older-than", "1h")
    foretold = run(shell, "retention", "run", "--older-than", "30d", "--dry-run")
    kept = len(ids(Job.id))
    done = run(shell, "retention", "run", "--older-than", "30d", "--actor", "olga")

    assert "RESULT_RETENTION is not set" in unset.stderr
    assert "must be a day or more" in short.stderr
    told = "2 jobs, 3 images and 3 files (36 B)"
    assert foretold.stdout == f"Would delete {told}, and up to 1 uploads. Nothing was changed.\n"
    assert done.stdout == f"Deleted {told}, and let 1 uploads expire.\n"
    assert (kept, ids(Job.id)) == (3, [recent])
    # The sweep deletes the upload, which has expired.
    assert {key for keys in storage.stored_keys() for key in keys} == {kept_file, UPLOAD}
    assert [ids(column) for column in (AuditEntry.actor, AuditEntry.action)] == [
        ["olga"], ["retention run"]
    ]  # fmt: skip


def test_an_export_holds_all_of_one_shop_and_no_secret(
    shell: FlaskCliRunner, storage: Storage, tmp_path: Path
) -> None:
    alice = fill(storage)
    submit(alice, product="mug")
    own = select(Item.result_key).where(Item.instance_id == alice, Item.status == Status.DONE)
    shared, other = (key for (key,) in read(own.order_by(Item.id)))
    reuse(alice, shared)
    storage.delete(other)
    file = tmp_path / "alice.zip"

    done = run(shell, "instances", "export", "alice", "--to", str(file), "--with-results")
    again = run(shell, "instances", "export", "alice", "--to", str(file))

    assert done.exit_code == 0, done.output
    assert again.exit_code == 1
    assert file.stat().st_mode & 0o777 == 0o600
    with ZipFile(file) as archive:
        names = archive.namelist()
        lines = {
            name: archive.read(name).decode().splitlines() for name in names if "/" not in name
        }
        assert archive.read(f"results/{shared}") == archive.read(f"uploads/{UPLOAD}") == PICTURE
    assert len(names) == len(set(names)) == 17
    counts = {name.partition(".")[0]: len(rows) for name, rows in lines.items()}
    assert counts["items"] == 4
    assert counts["attempts"] == 2
    assert "          1 files were not in the storage (any more)." in lines["README.txt"]
    assert counts["credit-entries"] == 4
    assert {counts[part] for part in ("uploads", "prompt-presets", "webhook-endpoints",
                                      "webhook-deliveries", "daily-counts")} == {1}  # fmt: skip
    whole = "\n".join(line for name in lines if "json" in name for line in lines[name])
    assert not [secret for secret in (*SECRETS, *ids(Attempt.reference)) if secret in whole]
    assert {json.loads(line)["instanceId"] for line in lines["items.jsonl"]} == {alice}
    assert ids(AuditEntry.action) == ["instances export"]


def test_erasing_leaves_the_ledger_and_the_counts(shell: FlaskCliRunner, storage: Storage) -> None:
    alice = fill(storage)
    submit(alice, images=2, product="waits")
    entries = len(ids(CreditEntry.id))

    foretold = run(shell, "instances", "erase", "alice", "--dry-run")
    unsaid = run(shell, "instances", "erase", "alice")
    first = erase_alice(shell)
    write(update(Job).values(finished_at=from_now(-5_000)))
    second = erase_alice(shell)

    assert "jobs\t2\nimages\t4\nuploads\t1\n" in foretold.stdout
    assert "--yes-erase alice" in unsaid.stderr
    assert "Wait 15m" in first.stderr  # Two images have only just been canceled.
    assert second.stdout == (
        "Erased: 2 jobs, 4 images, 1 uploads and 3 files (36 B)."
        f" What is left is called erased-{alice}.\n"
    )
    check_erased(alice, entries + 2)
    assert litter(storage) == []
    assert len([key for keys in storage.stored_keys() for key in keys]) == 1  # Bob's.
    assert "erased" in run(shell, "instances", "list").stdout


def check_erased(alice: int, entries: int) -> None:
    """Nothing but numbers is left of her, and everything of Bob."""
    for table in (Job, Item, Upload, PromptPreset, WebhookEndpoint, WebhookDelivery, MonthlyPrompt,
                  IdempotencyKey):  # fmt: skip
        assert alice not in ids(table.instance_id)
    assert ids(UnwantedFile.key) == []
    assert len(ids(CreditEntry.id)) == entries
    assert [sum(ids(column)) for column in (DailyCount.done, DailyCount.canceled)] == [3, 2]
    assert ids(Job.id) == [1]
    instance = accounts.find(f"erased-{alice}")
    assert instance.erased_at
    assert instance.disabled_at
    assert (instance.deleted_charges, instance.deleted_refunds) == (60, 30)
    actions = [entry for entry in ids(AuditEntry.action) if "erase" in entry]
    assert actions == ["instances erase"]


def test_erasing_that_was_broken_off_goes_on(
    shell: FlaskCliRunner, app: Flask, storage: Storage
) -> None:
    alice = fill(storage)
    accounts.disable("alice")
    for steps in range(1, 6):
        pages = erase(Broom(storage, app.app_context), alice)
        for _ in range(steps):
            next(pages, None)
        del pages  # As if killed there.
        check_promises()

    halfway = run(shell, "instances", "list").stdout
    done = erase_alice(shell)

    assert "half" in halfway
    assert done.exit_code == 0, done.output
    assert alice not in ids(Job.instance_id)
    assert litter(storage) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_erased_while_something_of_it_runs(shell: FlaskCliRunner, app: Flask) -> None:
    shop = open_shop("alice")
    submit(shop, images=2)
    turn = lifecycle.claim_next(600.0)
    assert turn

    running = erase_alice(shell)
    lifecycle.note(turn.attempt_id, "p1", 1.0)
    lifecycle.fail(turn.attempt_id, "timed_out", refund=True)
    write(update(Attempt).values(cancel_at=from_now(600), created_at=from_now(-5_000)))
    stray = erase_alice(shell)
    write(update(Attempt).values(cancel_at=None), update(Job).values(finished_at=from_now(-5_000)))
    run(shell, "queue", "limit", "10/1h")
    needed = erase_alice(shell)
    run(shell, "queue", "limit", "--reset", "--at-once")
    done = erase_alice(shell)

    assert "1 of its images are not final" in running.stderr
    assert "1 of its predictions are being canceled" in stray.stderr
    assert "the limiter and Replicate's list still need" in needed.stderr
    assert (running.exit_code, stray.exit_code, done.exit_code) == (1, 1, 0)
    assert "is disabled" in running.stderr
    assert ids(Instance.name) == [f"erased-{shop}"]
