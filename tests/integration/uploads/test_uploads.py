"""How a shop's upload gets to Replicate."""

from dataclasses import replace
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import update

from models import copies, following, ledger, lifecycle
from models.clock import from_now
from models.database import db
from models.tables import Attempt, AttemptStatus, Status
from tasks.gear import Gear
from tasks.optimize import optimize_next
from tasks.provider_errors import Permanent
from tasks.provider_files import UploadedFile, read_file
from tasks.reconcile import reconcile
from tasks.storage import open_storage
from tasks.uploads import copy
from tests.databases import settings_for
from tests.integration.uploads.kit import (
    DAY,
    PICTURE,
    Copying,
    attempts,
    furnished,
    only_item,
    order,
    shift,
)
from tests.shop import DEADLINE, PRICE
from tests.stand_in import StandIn


def test_an_upload_is_copied_once_and_its_predictions_are_known_by_the_copy(
    sending: Gear, stand_in: StandIn
) -> None:
    gear = sending
    shop, key = furnished(gear)

    first, second = optimize_next(gear), optimize_next(gear)

    # The first turn sent nothing, took no slot and cost the image nothing.
    assert first.endswith("waits again: copied")
    assert "is prediction" in second
    assert gear.limiter.state().slots_used_in_window == 1
    [create] = stand_in.creates()
    [sent] = create["input"]["image_input"]
    assert sent.startswith(f"{stand_in.url}/files/")
    assert httpx.get(sent, trust_env=False).content == PICTURE
    given_up, made = attempts(gear)
    assert (given_up.outcome, given_up.sent_urls) == ("copied", None)
    assert (made.sent_urls, made.prediction_id) == ([sent], create["id"])
    assert only_item(gear).failed_attempts == 0
    assert only_item(gear).image_url == f"/uploads/{key}"

    # Its answer got lost: the list tells which one it is.
    shift(
        gear, Attempt, lease_until=from_now(-1), prediction_id=None, status=AttemptStatus.CREATING,
        outcome=None, ended_at=None,
    )  # fmt: skip
    with gear.database(), db.engine.begin() as connection:
        ended = {"status": AttemptStatus.ENDED, "outcome": "copied"}
        connection.execute(update(Attempt).where(Attempt.id == given_up.id).values(**ended))
    reconcile(gear)
    assert attempts(gear)[1].prediction_id == create["id"]

    # The same upload once more: the copy is good for it as well.
    order(gear, shop, key, "https://shop.example/style.jpg")
    assert "is prediction" in optimize_next(gear)
    assert stand_in.creates()[1]["input"]["image_input"] == [sent, "https://shop.example/style.jpg"]
    files = [each for each in stand_in.requests() if each["path"] == "/v1/files"]
    assert len(files) == 1


def test_a_copy_that_would_expire_too_soon_is_made_anew(gear: Gear, outside: Copying) -> None:
    _shop, key = furnished(gear)
    with gear.database():
        copies.note(key, "https://files.example/old", copies.needed_for(DEADLINE) - 60)

        turn = lifecycle.claim_next(DEADLINE)

    assert turn
    assert turn.to_copy == (key,)


def test_where_our_addresses_are_public_they_are_sent(hearing_gear: Gear) -> None:
    gear = hearing_gear
    _shop, key = furnished(gear)

    with gear.database():
        turn = lifecycle.claim_next(DEADLINE, gear.settings.public_base_url)

    assert turn
    assert turn.image_urls == (f"https://darkroom.example/uploads/{key}",)
    assert not turn.to_copy
    assert attempts(gear)[0].sent_urls == list(turn.image_urls)
    with gear.database():
        [creation] = following.creates_under_way(10)
    assert creation.image_urls == turn.image_urls


def test_a_bucket_s_presigned_address_is_the_copy(
    calm_gear: Gear, outside: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    gear = calm_gear
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    _shop, key = furnished(gear)
    settings = settings_for("sqlite:////nowhere/x.db", storage_url="s3://bucket/prefix")
    signing = replace(gear, storage=open_storage(settings))

    said = optimize_next(signing)
    with gear.database():
        turn = lifecycle.claim_next(DEADLINE)

    assert said.endswith("waits again: copied")
    assert outside.files == []
    assert turn
    [sent] = turn.image_urls
    assert f"/prefix/{key}?" in sent
    [seconds] = parse_qs(urlsplit(sent).query)["X-Amz-Expires"]
    assert int(seconds) >= gear.settings.prediction_deadline + 3600

    # One without a row is not signed again and again.
    with pytest.raises(Permanent, match="no row"):
        copy(signing, [f"{9:032x}.png"], DEADLINE)


def test_while_no_copy_can_be_made_its_own_image_rests_and_costs_no_attempt(
    calm_gear: Gear, outside: Copying
) -> None:
    gear = calm_gear
    _shop, _key = furnished(gear)
    outside.away = True

    said = optimize_next(gear)

    item = only_item(gear)
    assert said.endswith("rests for 10 s: not copied")
    assert (item.status, item.failed_attempts) == (Status.PENDING, 0)
    assert item.not_before
    assert gear.limiter.state().paused_for == 0


def test_an_upload_that_we_have_lost_costs_nothing(calm_gear: Gear) -> None:
    gear = calm_gear
    shop, key = furnished(gear)
    gear.storage.delete(key)

    said = optimize_next(gear)

    item = only_item(gear)
    assert said.endswith("failed: upload_lost")
    assert (item.status, item.error_code, item.refunded) == (Status.FAILED, "upload_lost", True)
    with gear.database():
        assert ledger.account(shop).balance == 10 * PRICE


def test_a_process_that_ends_while_it_copies_leaves_no_doubt(gear: Gear, outside: Copying) -> None:
    _shop, _key = furnished(gear)
    with gear.database():
        turn = lifecycle.claim_next(DEADLINE)
    assert turn
    assert turn.to_copy
    shift(gear, Attempt, lease_until=from_now(-1))

    reconcile(gear)

    item = only_item(gear)
    assert (item.status, item.failed_attempts, item.not_before) == (Status.PENDING, 0, None)
    assert attempts(gear)[0].outcome == "not_copied"


def test_a_process_that_ends_stops_sending_a_file(calm_gear: Gear, outside: Copying) -> None:
    gear = calm_gear
    furnished(gear)

    class Ending(Copying):
        def upload_file(self, name: str, file: BinaryIO, content_type: str) -> UploadedFile:
            gear.stopping.set()
            return super().upload_file(name, file, content_type)

    said = optimize_next(replace(gear, replicate=Ending()))

    assert said.endswith("waits again: stopping")
    assert only_item(gear).status == Status.PENDING


@pytest.mark.parametrize(
    ("document", "known"),
    [
        (
            {
                "urls": {"get": "https://api.replicate.com/v1/files/abc"},
                "created_at": "2026-01-31T09:00:00Z",
                "expires_at": "2026-01-31T10:00:00Z",
            },
            UploadedFile("https://api.replicate.com/v1/files/abc", 3600.0),
        ),
        (
            {"urls": {"get": "https://files.example/a"}, "expires_at": None},
            UploadedFile("https://files.example/a", DAY),
        ),
        ({"urls": {"get": "file:///etc/passwd"}}, None),
        ({"urls": ["https://files.example/a"]}, None),
        ({"urls": {"get": "https://files.example/" + "a" * 2048}}, None),
        ({}, None),
    ],
)
def test_what_replicate_tells_of_a_file_is_read_without_trust(
    document: dict[str, object], known: UploadedFile | None
) -> None:
    assert read_file(document) == known
