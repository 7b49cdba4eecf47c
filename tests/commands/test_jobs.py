"""`flask jobs …`."""

from threading import Event, Thread

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from models import lifecycle
from models.database import db
from models.orders import Turn
from tests.shop import DEADLINE, open_shop, submit


@pytest.fixture
def two_shops(bare_app: Flask) -> None:
    """Alice's job 1 with two images, Bob's job 2 with one."""
    with bare_app.app_context():
        submit(open_shop("alice"), images=2)
        submit(open_shop("bob"))


def claim() -> Turn:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn is not None
    return turn


def test_list_shows_the_newest_job_first(command_line: FlaskCliRunner, two_shops: None) -> None:
    result = command_line.invoke(args=["jobs", "list"])

    rows = [line.split("\t")[:5] for line in result.stdout.splitlines()]
    assert rows == [
        ["id", "instance", "product", "status", "images"],
        ["2", "bob", "The cup", "PENDING", "1"],
        ["1", "alice", "The cup", "PENDING", "2"],
    ]


def test_list_can_be_narrowed(command_line: FlaskCliRunner, two_shops: None) -> None:
    of_alice = command_line.invoke(args=["jobs", "list", "alice"])
    done = command_line.invoke(args=["jobs", "list", "--status", "DONE"])
    of_nobody = command_line.invoke(args=["jobs", "list", "nobody"])

    assert [line[:1] for line in of_alice.stdout.splitlines()[1:]] == ["1"]
    assert len(done.stdout.splitlines()) == 1
    assert "instances list" in of_nobody.stderr


def test_show_lists_the_images_in_order(command_line: FlaskCliRunner, two_shops: None) -> None:
    result = command_line.invoke(args=["jobs", "show", "1"])

    lines = result.stdout.splitlines()
    assert lines[1].split("\t")[:4] == ["1", "alice", "The cup", "PENDING"]
    assert [line.split("\t")[1:3] for line in lines[4:]] == [
        ["cup-0", "PENDING"],
        ["cup-1", "PENDING"],
    ]


@pytest.mark.parametrize("verb", ["show", "watch"])
def test_an_unknown_job_points_to_the_list(command_line: FlaskCliRunner, verb: str) -> None:
    result = command_line.invoke(args=["jobs", verb, "77"])

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no job 77. `flask --app wsgi jobs list`")


def test_watch_ends_when_the_job_does(
    command_line: FlaskCliRunner, bare_app: Flask, two_shops: None
) -> None:
    begun = Event()

    def finish_all() -> None:
        begun.wait(5)
        with bare_app.app_context():
            for _ in range(3):
                turn = claim()
                lifecycle.finish(turn.attempt_id, f"{turn.item_id}.jpg", "image/jpeg")

    worker = Thread(target=finish_all)
    worker.start()
    begun.set()
    result = command_line.invoke(args=["jobs", "watch", "1", "--every", "0.05"])
    worker.join(10)

    assert (result.exit_code, result.stdout) == (0, "job 1 DONE: 2 of 2 images done\n")


def test_watching_a_failed_job_fails(
    command_line: FlaskCliRunner, bare_app: Flask, two_shops: None
) -> None:
    with bare_app.app_context():
        for _ in range(3):
            lifecycle.fail(claim().attempt_id, "content_flagged", refund=False)

    result = command_line.invoke(args=["jobs", "watch", "1"])

    assert result.exit_code == 1
    assert result.stdout == "job 1 FAILED: 0 of 2 images done, 2 failed\n"


def test_a_database_without_tables_says_what_to_run(
    bare_app: Flask, command_line: FlaskCliRunner
) -> None:
    with bare_app.app_context():
        db.drop_all()
    result = command_line.invoke(args=["jobs", "list"])
    with bare_app.app_context():
        db.create_all()

    assert result.exit_code == 1
    assert "run `flask --app wsgi db upgrade` first" in result.stderr
