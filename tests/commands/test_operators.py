"""What operators change on the command line, and the audit of it."""

import json
import os
import pwd

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from config.forms import RateLimit
from models import audit, controls, following
from models.controls import Pace
from tasks.limiter import Limiter, limiter_redis
from tasks.queues import depths
from tests.limiter_steps import ask_until_seeded
from tests.shop import open_shop, submit

NOWHERE = "redis://127.0.0.1:1/0"


def run(command_line: FlaskCliRunner, redis_url: str, *words: str) -> str:
    """What a command that works prints."""
    result = command_line.invoke(args=list(words), env={"REDIS_URL": redis_url})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_pause_is_told_until_it_is_ended(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        submit(open_shop("alice"))

    run(command_line, redis_url, "queue", "pause", "--reason", "new prompt\N{HORIZONTAL ELLIPSIS}",
        "--actor", "olga")  # fmt: skip
    paused = run(command_line, redis_url, "queue", "status")
    with limiter_redis(redis_url) as client:
        client.flushall()
    still = run(command_line, redis_url, "queue", "status").splitlines()
    run(command_line, redis_url, "queue", "resume")
    after = run(command_line, redis_url, "queue", "status").splitlines()

    assert "paused by olga since 20" in paused
    assert still[-1].endswith("Z: new prompt\N{HORIZONTAL ELLIPSIS} (`queue resume` ends it)")
    assert "due now: 0" in still
    assert (after[-1], "due now: 1" in after) == ("not paused", True)
    with limiter_redis(redis_url) as client:
        assert depths(client)["housekeeping"].total == 1


def test_the_limit_is_changed_shown_and_reset(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        recent, terms = following.recent_sends, controls.terms
        client = limiter_redis(redis_url)
        limiter = Limiter(client, RateLimit(5, 30.0), 1.0, recent, terms=terms)
        ask_until_seeded(limiter)

    said = [
        run(command_line, redis_url, "queue", "limit", *words)
        for words in ([], ["10/20s"], ["--spacing", "500ms"], ["--reset", "--at-once"])
    ]
    status = run(command_line, redis_url, "queue", "status").splitlines()

    assert said == [
        "5/30s, 1s apart (as the settings say)\n",
        "10/20s, 1s apart (set by an operator); for 30 s more also 5/30s, 1s apart\n",
        said[2],
        "5/30s, 1s apart (as the settings say)\n",
    ]
    assert said[2].startswith("10/20s, 0.5s apart (set by an operator); for ")
    assert "limit\t5 in 30s, 1s apart" in status
    with bare_app.app_context():
        entries = [entry.details for entry in audit.entries(9)]
    assert entries[-1] == {
        "before": "5/30s, 1s apart", "after": "10/20s, 1s apart", "at_once": False,
    }  # fmt: skip
    assert len(entries) == 3
    client.close()


def test_a_limit_is_in_force_at_once_and_the_status_tells_the_former(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with limiter_redis(redis_url) as client, bare_app.app_context():
        limiter = Limiter(client, RateLimit(5, 30.0), 1.0, following.recent_sends)
        ask_until_seeded(limiter)

        run(command_line, redis_url, "queue", "limit", "2/40s")

        assert limiter.state().limit == 2
        assert [each.pace for each in limiter.state().former] == [Pace(RateLimit(5, 30.0), 1.0)]
    status = run(command_line, redis_url, "queue", "status")
    assert "limit\t2 in 40s, 1s apart\nalso, for " in status


def test_without_redis_a_change_is_written_down(
    command_line: FlaskCliRunner, bare_app: Flask
) -> None:
    result = command_line.invoke(args=["queue", "limit", "2/40s"], env={"REDIS_URL": NOWHERE})

    assert result.exit_code == 0
    assert "It is in force when Redis is back." in result.stderr
    with bare_app.app_context():
        assert controls.terms().pace == Pace(RateLimit(2, 40.0), 1.0)


@pytest.mark.parametrize(
    "words",
    [
        ["limit", "ten"],
        ["limit", "0/30s"],
        ["limit", "5/30s", "--spacing", "soon"],
        ["limit", "5/30s", "--reset"],
        ["limit", "5/30s", "--actor", ""],
        ["pause", "--reason", "x" * 201],
        ["pause", "--reason", "\x1b[2J"],
    ],
)
def test_a_wish_without_sense_changes_nothing(
    command_line: FlaskCliRunner, bare_app: Flask, words: list[str]
) -> None:
    result = command_line.invoke(args=["queue", *words], env={"REDIS_URL": NOWHERE})

    assert result.exit_code == 2
    with bare_app.app_context():
        assert audit.entries(9) == []


def test_caps_are_set_one_by_one_and_taken_away(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        open_shop("alice")

    said = [
        run(command_line, redis_url, "instances", "cap", "alice", *words)
        for words in (["--running", "2"], ["--waiting", "50"], ["--none"])
    ]
    refused = [
        command_line.invoke(args=["instances", "cap", *words]).exit_code
        for words in (["alice"], ["alice", "--running", "0"], ["alice", "--none", "--waiting", "1"])
    ]
    unknown = command_line.invoke(args=["instances", "cap", "bob", "--none"])

    assert said == [
        "alice: at most 2 running, any number waiting.\n",
        "alice: at most 2 running, at most 50 waiting.\n",
        "alice: any number running, any number waiting.\n",
    ]
    assert refused == [2, 2, 2]
    assert "There is no instance bob. `flask --app wsgi instances list`" in unknown.stderr


def test_every_change_is_in_the_audit_and_no_secret(
    command_line: FlaskCliRunner, redis_url: str
) -> None:
    token = run(command_line, redis_url, "instances", "create", "alice", "--actor", "olga").strip()
    shop = "9a5d83fd-8570-482e-81ab-cfa88942ee60"
    for words in (
        ["instances", "connect", "alice", "--wix-instance", shop],
        ["instances", "disconnect", "alice"],
        ["instances", "cap", "alice", "--waiting", "5"],
        ["instances", "rotate-token", "alice"],
        ["credits", "grant", "alice", "50", "--reference", "inv-7"],
        ["instances", "disable", "alice"],
        ["queue", "pause"],
        ["queue", "resume"],
        ["queue", "limit", "9/30s"],
    ):
        run(command_line, redis_url, *words)
    refused = command_line.invoke(args=["credits", "grant", "alice", "5", "--reference", "inv-7"])

    listed = run(command_line, redis_url, "audit", "list")
    about = run(command_line, redis_url, "audit", "list", "--about", "alice", "--last", "2")

    rows = [line.split("\t") for line in listed.splitlines()[1:]]
    assert [row[3] for row in rows] == [
        "queue limit", "queue resume", "queue pause", "instances disable", "credits grant",
        "instances rotate-token", "instances cap", "instances disconnect", "instances connect",
        "instances create",
    ]  # fmt: skip
    assert {row[2] for row in rows[:-1]} == {pwd.getpwuid(os.getuid()).pw_name}
    assert rows[-1][2:5] == ["olga", "instances create", "alice"]
    assert json.loads(rows[4][5]) == {"amount": 50, "reference": "inv-7"}
    assert refused.exit_code == 1
    assert token not in listed
    assert [line.split("\t")[3] for line in about.splitlines()[1:]] == [
        "instances disable",
        "credits grant",
    ]
