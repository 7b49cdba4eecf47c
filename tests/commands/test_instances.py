"""`flask instances …`."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from models import accounts, ledger, lifecycle, reports
from models.tables import Status
from tests.shop import DEADLINE, PRICE, open_shop, submit

WIX = "9a5d83fd-8570-482e-81ab-cfa88942ee60"


def test_create_prints_nothing_but_the_token(command_line: FlaskCliRunner, bare_app: Flask) -> None:
    result = command_line.invoke(args=["instances", "create", "alice", "--plan", "pro"])

    token = result.stdout.strip()
    assert result.exit_code == 0
    assert "not shown again" in result.stderr
    with bare_app.app_context():
        assert accounts.authenticate(token) == accounts.find("alice").id


def test_create_as_json_tells_the_plans_first_credits(command_line: FlaskCliRunner) -> None:
    result = command_line.invoke(args=["instances", "create", "alice", "--plan", "pro", "--json"])

    facts = json.loads(result.stdout)
    assert facts.pop("token").startswith("dk_")
    assert facts == {"id": 1, "name": "alice", "plan": "pro", "credits": 15_000}


def test_an_instance_is_connected_to_its_wix_shop(
    command_line: FlaskCliRunner, bare_app: Flask
) -> None:
    create = ["instances", "create", "alice", "--wix-instance", WIX.upper()]
    connect = ["instances", "connect", "bob", "--wix-instance", WIX]
    command_line.invoke(args=create)
    command_line.invoke(args=["instances", "create", "bob"])
    with bare_app.app_context():
        before = [accounts.wix_instance_id(each.id) for each in accounts.everyone()]

    result = command_line.invoke(args=connect)

    assert (result.exit_code, result.stdout) == (
        0,
        f"bob sees the products of the Wix instance {WIX}.\n",
    )
    assert before == [WIX, None]
    with bare_app.app_context():
        assert [accounts.wix_instance_id(each.id) for each in accounts.everyone()] == [WIX, WIX]


def test_the_list_shows_which_wix_shop_an_instance_is_connected_to_until_it_is_not(
    command_line: FlaskCliRunner,
) -> None:
    command_line.invoke(args=["instances", "create", "alice", "--wix-instance", WIX])
    command_line.invoke(args=["instances", "create", "bob", "--wix-instance", WIX])

    result = command_line.invoke(args=["instances", "disconnect", "bob"])

    listed = command_line.invoke(args=["instances", "list"]).stdout.splitlines()
    assert (result.exit_code, result.stdout) == (
        0,
        "bob sees no products of a Wix instance any more.\n",
    )
    assert [line.split("\t")[-1] for line in listed] == ["shop", WIX, "-"]


def test_what_is_no_wix_instance_is_refused(command_line: FlaskCliRunner) -> None:
    command_line.invoke(args=["instances", "create", "alice"])

    result = command_line.invoke(args=["instances", "connect", "alice", "--wix-instance", "shop"])

    assert result.exit_code == 2
    assert "not a valid UUID" in result.stderr


def test_an_unknown_instance_cannot_be_connected(command_line: FlaskCliRunner) -> None:
    result = command_line.invoke(args=["instances", "connect", "bob", "--wix-instance", WIX])

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no instance bob. ")


def test_a_taken_name_is_refused_in_one_line(command_line: FlaskCliRunner) -> None:
    command_line.invoke(args=["instances", "create", "alice"])

    result = command_line.invoke(args=["instances", "create", "alice"])

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: There is an instance alice already."
        " Choose another name, or give it a new token: instances rotate-token.\n"
    )


@pytest.mark.parametrize("name", ["", " alice", "al\nice", "a" * 256])
def test_a_name_that_cannot_be_shown_again_is_refused(
    command_line: FlaskCliRunner, name: str
) -> None:
    result = command_line.invoke(args=["instances", "create", name])

    assert result.exit_code == 2
    assert "1 to 255 printable characters" in result.stderr


def test_list_is_one_tab_separated_line_an_instance(command_line: FlaskCliRunner) -> None:
    command_line.invoke(args=["instances", "create", "alice", "--plan", "basic"])
    command_line.invoke(args=["instances", "create", "bob"])
    command_line.invoke(args=["instances", "disable", "bob"])

    result = command_line.invoke(args=["instances", "list"])

    rows = [line.split("\t")[:6] for line in result.stdout.splitlines()]
    assert rows == [
        ["id", "name", "plan", "credits", "waiting", "state"],
        ["1", "alice", "basic", "1500", "0", "active"],
        ["2", "bob", "free", "150", "0", "disabled"],
    ]


def test_a_new_token_replaces_the_old_one(command_line: FlaskCliRunner, bare_app: Flask) -> None:
    old = command_line.invoke(args=["instances", "create", "alice"]).stdout.strip()

    new = command_line.invoke(args=["instances", "rotate-token", "alice"]).stdout.strip()

    with bare_app.app_context():
        assert accounts.authenticate(old) is None
        assert accounts.authenticate(new) == 1


def test_a_disabled_instance_is_refused(command_line: FlaskCliRunner, bare_app: Flask) -> None:
    token = command_line.invoke(args=["instances", "create", "alice"]).stdout.strip()

    command_line.invoke(args=["instances", "disable", "alice"])

    with bare_app.app_context():
        assert accounts.authenticate(token) is None


def test_disabling_cancels_and_refunds_what_waits(
    command_line: FlaskCliRunner, bare_app: Flask
) -> None:
    with bare_app.app_context():
        alice, bob = open_shop("alice", credits=100), open_shop("bob", credits=100)
        jobs = [submit(shop, images=3).job.id for shop in (alice, bob)]
        assert (turn := lifecycle.claim_next(DEADLINE))

    result = command_line.invoke(args=["instances", "disable", "alice"])

    assert result.stdout == "The token of alice is refused from now on.\n"
    assert result.stderr == "2 waiting images were canceled and refunded.\n"
    with bare_app.app_context():
        assert lifecycle.finish(turn.attempt_id, "key", "image/jpeg")
        job = reports.job(alice, jobs[0])
        assert (job.status, job.completed_images, job.canceled_images) == (Status.DONE, 1, 2)
        assert [ledger.account(shop).balance for shop in (alice, bob)] == [100 - PRICE, 55]
        assert reports.job(bob, jobs[1]).status == Status.PENDING


def test_disabling_cancels_what_rests_between_two_attempts(
    command_line: FlaskCliRunner, bare_app: Flask
) -> None:
    with bare_app.app_context():
        job_id = submit(open_shop("alice", credits=100), images=2).job.id
        assert (turn := lifecycle.claim_next(DEADLINE))
        assert lifecycle.requeue(turn.attempt_id, "model_busy", backoff=600.0).moved

    result = command_line.invoke(args=["instances", "disable", "alice"])

    assert result.exit_code == 0
    assert result.stderr == "2 waiting images were canceled and refunded.\n"
    with bare_app.app_context():
        assert reports.job(1, job_id).status == Status.CANCELED


def test_disabling_twice_refunds_once(command_line: FlaskCliRunner, bare_app: Flask) -> None:
    with bare_app.app_context():
        alice = open_shop("alice", credits=100)
        submit(alice, images=2)

    said = [command_line.invoke(args=["instances", "disable", "alice"]).stderr for _ in range(2)]

    assert [line.split()[0] for line in said] == ["2", "0"]
    with bare_app.app_context():
        assert ledger.account(alice).balance == 100


@pytest.mark.parametrize("verb", ["disable", "disconnect", "rotate-token"])
def test_an_unknown_name_points_to_the_list(command_line: FlaskCliRunner, verb: str) -> None:
    result = command_line.invoke(args=["instances", verb, "nobody"])

    assert result.exit_code == 1
    assert "There is no instance nobody. `flask --app wsgi instances list`" in result.stderr
