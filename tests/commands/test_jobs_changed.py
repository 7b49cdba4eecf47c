"""`flask jobs cancel` and `flask jobs retry`, with the parts that they need."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from models import audit, ledger, lifecycle, reports
from models.database import db
from models.orders import Turn
from models.tables import Status
from tests.commands.service import with_commands
from tests.databases import check_promises, settings_for
from tests.shop import DEADLINE, PRICE, open_shop, submit


@pytest.fixture
def app(sqlite_database: str, redis_url: str) -> Iterator[Flask]:
    """The service, with Alice's job 1 of three images."""
    app = with_commands(settings_for(sqlite_database, redis_url=redis_url))
    with app.app_context():
        submit(open_shop("alice", credits=10 * PRICE), images=3)
    yield app
    with app.app_context():
        check_promises()
        db.engine.dispose()


def claim() -> Turn:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn


def told() -> list[tuple[str, dict[str, object]]]:
    """What Olga did with Alice's jobs, by the audit: the oldest first. What was refused is not."""
    entries = audit.entries(9)
    assert {(entry.actor, entry.subject) for entry in entries} == {("olga", "alice")}
    return [(entry.action, entry.details) for entry in reversed(entries)]


def test_an_operator_cancels_an_image_and_then_the_job(app: Flask) -> None:
    shell = app.test_cli_runner()
    with app.app_context():
        turn = claim()
        assert lifecycle.note(turn.attempt_id, "p1", check_in=1.0)

    image = shell.invoke(args=["jobs", "cancel", "1", "--item", "3", "--actor", "olga"])
    job = shell.invoke(args=["jobs", "cancel", "1", "--actor", "olga"])
    again = shell.invoke(args=["jobs", "cancel", "1"])

    assert image.stdout == "job 1 of alice: 1 canceled, 0 asked for\n"
    assert job.stdout == "job 1 of alice: 1 canceled, 1 asked for\n"
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: This is being canceled already")
    with app.app_context():
        statuses = [item.status for item in reports.items(1)]
        written = told()
    assert statuses == [Status.RUNNING, Status.CANCELED, Status.CANCELED]
    assert written == [("jobs cancel", {"job": 1, "item": 3}), ("jobs cancel", {"job": 1})]


def test_an_operator_retries_a_job_and_gets_the_new_ones_number(app: Flask) -> None:
    shell: FlaskCliRunner = app.test_cli_runner()
    early = shell.invoke(args=["jobs", "retry", "1"])
    with app.app_context():
        for _ in range(3):
            lifecycle.fail(claim().attempt_id, "model_busy", refund=False)

    retried = shell.invoke(args=["jobs", "retry", "1", "--actor", "olga"])
    again = shell.invoke(args=["jobs", "retry", "1"])

    assert early.stderr.startswith("Error: This job is still under way")
    assert (retried.exit_code, retried.stdout) == (0, "2\n")
    assert retried.stderr == "3 images of alice, 45 credits.\n"
    assert again.stderr.startswith("Error: This job was retried before, as job 2.")
    with app.app_context():
        assert reports.anyones_job(2)[0].retry_of == 1
        assert ledger.account(1).balance == 4 * PRICE
        assert told() == [("jobs retry", {"job": 1, "retried_by": 2, "credits": 45})]
