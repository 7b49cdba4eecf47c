"""`flask reconcile`, on rows of every state."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from api import current
from config.settings import Settings
from models.database import db
from tests.broken import LONG_AGO, RESULT, break_rows, fill
from tests.commands.service import with_commands
from tests.databases import settings_for

BALANCE = "UPDATE instances SET balance = balance + 1 WHERE id = 1"


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings with everything that the command asks."""
    stored = f"file://{tmp_path}/results"
    return settings_for(database_url, redis_url=redis_url, storage_url=stored)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The service, with rows of every state; a test may break them."""
    app = with_commands(settings)
    fill(app)
    yield app
    with app.app_context():
        current.parts().redis.close()
        db.engine.dispose()


@pytest.fixture
def shell(app: Flask) -> FlaskCliRunner:
    """Where an operator types."""
    return app.test_cli_runner()


def test_all_is_well(shell: FlaskCliRunner) -> None:
    result = shell.invoke(args=["reconcile"])

    assert (result.exit_code, result.stdout) == (0, "All is well in 22 rows.\n")
    assert result.stderr == ""


def test_a_finding_is_a_line_that_says_what_to_do(shell: FlaskCliRunner, app: Flask) -> None:
    break_rows(app, BALANCE)

    result = shell.invoke(args=["reconcile"])

    assert result.exit_code == 1
    finding, summary = result.stdout.splitlines()
    assert finding.startswith(
        "balance: instance 1 'alice': expected 14940 credits, found 14941. Find out who"
    )
    assert summary == "1 found wrong in 22 rows. Nothing was changed."


def test_a_machine_reads_one_object_a_line(shell: FlaskCliRunner, app: Flask) -> None:
    break_rows(app, BALANCE)

    result = shell.invoke(args=["reconcile", "--json"])

    finding, summary = map(json.loads, result.stdout.splitlines())
    assert set(finding) == {"kind", "where", "expected", "found", "to_do"}
    assert finding["kind"] == "balance"
    assert summary == {"rows": 22, "findings": 1}


def test_nothing_is_changed(shell: FlaskCliRunner, app: Flask) -> None:
    break_rows(app, BALANCE)

    told = [shell.invoke(args=["reconcile"]).stdout for _ in range(2)]

    assert told[0] == told[1]


def test_results_are_looked_for_in_the_storage(shell: FlaskCliRunner, tmp_path: Path) -> None:
    unknown = f"{'f' * 32}.png"
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / unknown).write_bytes(b"a picture of nobody")
    (tmp_path / "results" / "README").write_bytes(b"no result at all")

    result = shell.invoke(args=["reconcile", "--storage", "--json"])

    *findings, _summary = map(json.loads, result.stdout.splitlines())
    assert [(each["kind"], each["where"]) for each in findings] == [
        ("result_missing", "item 1"),
        ("unknown_result", f"{unknown} in the storage"),
    ]


def test_a_stored_result_is_no_finding(shell: FlaskCliRunner, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / RESULT).write_bytes(b"a picture")

    result = shell.invoke(args=["reconcile", "--storage"])

    assert result.exit_code == 0


def test_a_pause_explains_a_standstill(shell: FlaskCliRunner, app: Flask) -> None:
    break_rows(
        app,
        f"UPDATE image_optimization_attempts SET created_at = {LONG_AGO} WHERE id != 4",
        "UPDATE image_optimization_attempts SET status = 'CREATED', prediction_id = 'p4',"
        f" next_check_at = '2999-01-01 00:00:00.000000', created_at = {LONG_AGO} WHERE id = 4",
        f"UPDATE image_optimization_items SET updated_at = {LONG_AGO} WHERE id = 5",
    )
    still = shell.invoke(args=["reconcile"])
    with app.app_context():
        current.parts().limiter.pause(90, "Insufficient credit")

    paused = shell.invoke(args=["reconcile"])

    assert still.stdout.startswith("standstill: the queue:")
    assert paused.exit_code == 0


def test_without_redis_the_rows_are_looked_at_all_the_same(settings: Settings) -> None:
    away = with_commands(replace(settings, redis_url="redis://127.0.0.1:1/0"))

    result = away.test_cli_runner().invoke(args=["reconcile"])

    assert result.exit_code == 0
    assert result.stderr.startswith("Redis does not answer")
    with away.app_context():
        db.engine.dispose()


def test_what_cannot_be_looked_at_is_not_called_well(postgres_url: str) -> None:
    empty = with_commands(settings_for(postgres_url))

    result = empty.test_cli_runner().invoke(args=["reconcile"])

    assert result.exit_code == 2
    assert "flask --app wsgi db upgrade" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    with empty.app_context():
        db.engine.dispose()


def test_a_large_database_shows_a_bar_that_keeps_off_the_findings(
    shell: FlaskCliRunner, app: Flask
) -> None:
    break_rows(app, BALANCE, many_ids())

    result = shell.invoke(args=["reconcile"], env={"TTY_COMPATIBLE": "1"})

    assert "credit entries" in result.stderr
    assert [line.partition(":")[0] for line in result.stdout.splitlines()[:-1]] == ["balance"]


def many_ids() -> str:
    """As after a long life: how far ids go is what is asked, not how many rows there are."""
    return (
        "INSERT INTO credit_entries (id, instance_id, kind, amount, balance_after, reference,"
        f" created_at) SELECT 30000, 2, 'GRANT', 0, balance, 'test:0', {LONG_AGO}"
        " FROM instances WHERE id = 2"
    )
