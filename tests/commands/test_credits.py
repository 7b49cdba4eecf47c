"""`flask credits …`."""

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from models import ledger
from tests.shop import open_shop


@pytest.fixture
def alice(bare_app: Flask) -> int:
    """A shop with 100 credits."""
    with bare_app.app_context():
        return open_shop("alice", credits=100)


def test_a_grant_says_the_new_balance(command_line: FlaskCliRunner, alice: int) -> None:
    result = command_line.invoke(args=["credits", "grant", "alice", "50", "--reference", "inv-7"])

    assert result.stdout == "alice has 150 credits now. Booked as inv-7.\n"


def test_the_same_reference_is_booked_once(
    command_line: FlaskCliRunner, bare_app: Flask, alice: int
) -> None:
    wish = ["credits", "grant", "alice", "50", "--reference", "inv-7"]
    command_line.invoke(args=wish)

    result = command_line.invoke(args=wish)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "inv-7 was booked before: nothing was changed." in result.stderr
    with bare_app.app_context():
        assert ledger.account(alice).balance == 150


def test_without_a_reference_each_grant_counts(command_line: FlaskCliRunner, alice: int) -> None:
    command_line.invoke(args=["credits", "grant", "alice", "5"])

    result = command_line.invoke(args=["credits", "grant", "alice", "5"])

    assert result.stdout.startswith("alice has 110 credits now. Booked as grant:")


def test_more_than_the_balance_cannot_be_taken(command_line: FlaskCliRunner, alice: int) -> None:
    taken = command_line.invoke(args=["credits", "grant", "alice", "-40"])
    refused = command_line.invoke(args=["credits", "grant", "alice", "-61"])

    assert taken.stdout.startswith("alice has 60 credits now.")
    assert (refused.exit_code, refused.stderr) == (1, "Error: alice has only 60 credits.\n")


@pytest.mark.parametrize(
    "words",
    [
        ["0"],
        ["much"],
        ["9" * 30],
        ["5", "--reference", "x" * 256],
        ["5", "--reference", "charge:job:12"],
        ["5", "--reference", "refund:item:7"],
        ["5", "--reference", "reset:1:2026-12"],
    ],
)
def test_an_amount_or_reference_without_sense_is_refused(
    command_line: FlaskCliRunner, alice: int, words: list[str]
) -> None:
    result = command_line.invoke(args=["credits", "grant", "alice", *words])

    assert result.exit_code == 2


def test_show_tells_balance_plan_and_last_entries(command_line: FlaskCliRunner, alice: int) -> None:
    command_line.invoke(args=["credits", "grant", "alice", "50", "--reference", "inv-7"])

    result = command_line.invoke(args=["credits", "show", "alice", "--last", "1"])

    _head, account, _gap, _columns, entry = result.stdout.splitlines()
    assert account.split("\t")[:4] == ["alice", "150", "pro", "15000"]
    assert account.endswith("-01 00:00:00Z")
    assert entry.split("\t")[1:] == ["GRANT", "+50", "150", "inv-7"]


def test_credits_of_nobody_point_to_the_list(command_line: FlaskCliRunner) -> None:
    result = command_line.invoke(args=["credits", "show", "nobody"])

    assert result.exit_code == 1
    assert "There is no instance nobody. `flask --app wsgi instances list`" in result.stderr
