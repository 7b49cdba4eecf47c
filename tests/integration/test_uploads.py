"""How a shop's upload gets to Replicate, and what becomes of one that nobody uses."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from config.forms import RateLimit
from models import copies, following, invariants, ledger, lifecycle, uploads
from models.clock import from_now, now
from models.database import db
from models.orders import ImageOrder, JobOrder
from models.tables import Attempt, AttemptStatus, Item, Status, Upload
from tasks.gear import Gear
from tasks.optimize import optimize_next
from tasks.provider_errors import Permanent, Retryable
from tasks.provider_files import UploadedFile, read_file
from tasks.reconcile import reconcile
from tasks.replicate import Replicate
from tasks.storage import open_storage
from tasks.stored import missing
from tasks.sweep import sweep_once
from tasks.uploads import copy
from tests.databases import settings_for
from tests.outside import Outside, gear_around
from tests.pictures import file_of, painted
from tests.service import wait_until
from tests.shop import DEADLINE, PRICE, open_shop
from tests.stand_in import StandIn

PICTURE = file_of(painted(), "PNG")
DAY = 24 * 3600.0
PATIENT = invariants.Patience(DAY, None)


def store(gear: Gear, shop: int, number: int = 1) -> str:
    """Let a shop have an upload, as the API makes one; return its key."""
    key = f"{number:032x}.png"
    picture = uploads.Picture(key, f"{number:064x}", "cup.png", "image/png", len(PICTURE), 320, 200)
    with gear.database():
        upload_id = uploads.reserve(shop, picture)
        gear.storage.put(key, PICTURE, "image/png")
        uploads.keep(upload_id, DAY)
    return key


def order(gear: Gear, shop: int, key: str, *references: str) -> int:
    """Order one image, of an upload and with references; return the job's id."""
    image = ImageOrder("cup", f"/uploads/{key}", "brighter", reference_urls=references)
    with gear.database():
        return lifecycle.submit(shop, JobOrder("cup", "The cup", (image,)), PRICE).job.id


def furnished(gear: Gear) -> tuple[int, str]:
    """A shop with an upload that it has ordered an image of."""
    with gear.database():
        shop = open_shop("alice", credits=10 * PRICE)
    key = store(gear, shop)
    order(gear, shop, key)
    return shop, key


def only_item(gear: Gear) -> Item:
    with gear.database():
        return db.session.scalars(select(Item)).one()


def attempts(gear: Gear) -> list[Attempt]:
    with gear.database():
        return list(db.session.scalars(select(Attempt).order_by(Attempt.id)))


def upload(gear: Gear, key: str) -> Upload | None:
    with gear.database():
        return db.session.scalar(select(Upload).where(Upload.key == key))


def shift(gear: Gear, kind: type[Attempt] | type[Upload], **times: object) -> None:
    """Set these columns of every row."""
    with gear.database(), db.engine.begin() as connection:
        connection.execute(update(kind).values(**times))


class Copying(Outside):
    """Replicate, which takes files as well, unless it is `away`."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[bytes] = []
        self.away = False

    def upload_file(self, name: str, file: BinaryIO, content_type: str) -> UploadedFile:
        """Keep the file, for a day."""
        if self.away:
            raise Retryable("nobody answers")
        self.files.append(file.read())
        return UploadedFile(f"https://files.example/{len(self.files)}/{name}", DAY)


@pytest.fixture
def outside() -> Copying:
    return Copying()


@pytest.fixture
def calm_gear(
    sqlite_database: str, redis_url: str, outside: Copying, tmp_path: Path
) -> Iterator[Gear]:
    """The gear of a process on SQLite: for what no database does differently."""
    with gear_around(outside, sqlite_database, redis_url, tmp_path) as built:
        yield built


@pytest.fixture
def sending(
    database_url: str,
    redis_url: str,
    stand_in: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Gear]:
    """The gear of a process that asks the stand-in."""
    limit = RateLimit(50, 3.0)
    facts = {"replicate_base_url": stand_in.url, "replicate_rate_limit": limit}
    known = {"replicate_min_spacing": 0.0, "allow_private_image_urls": True}
    with gear_around(Outside(), database_url, redis_url, tmp_path, **facts, **known) as built:
        client = Replicate(built.settings, lambda _function, _outcome, _seconds: None)
        # On a busy machine a grant is out of date before it is used; that is not what is tested.
        monkeypatch.setattr(built.limiter, "is_fresh", lambda _grant: True)
        yield replace(built, replicate=client)
        client.close()


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


def test_what_no_order_uses_in_time_is_deleted_with_its_file(gear: Gear) -> None:
    shop, used = furnished(gear)
    unused, young = store(gear, shop, 2), store(gear, shop, 3)
    with gear.database(), db.engine.begin() as connection:
        late = update(Upload).where(Upload.key == unused)
        connection.execute(late.values(expires_at=from_now(-uploads.GRACE_SECONDS - 1)))

    said = sweep_once(gear)

    assert "1 uploads expired" in said
    assert [gear.storage.exists(key) for key in (used, unused, young)] == [True, False, True]
    assert [upload(gear, key) is None for key in (used, unused, young)] == [False, True, False]


def test_what_an_order_takes_at_the_last_moment_is_not_deleted(gear: Gear) -> None:
    shop, _used = furnished(gear)
    late = store(gear, shop, 2)
    with gear.database(), db.engine.begin() as connection:
        soon = update(Upload).where(Upload.key == late)
        connection.execute(soon.values(expires_at=from_now(1.0)))

    def look() -> list[tuple[int, str]]:
        with gear.database():
            with db.engine.connect() as connection:
                over = select(Upload.id).where(Upload.expires_at <= now())
                wait_until(lambda: connection.scalar(over) is not None, "its time over")
            return uploads.expired(10)

    with gear.database(), db.session() as session, session.begin():
        uploads.use(session, shop, [f"/uploads/{late}"])
        # The order is not committed yet.
        with ThreadPoolExecutor(1) as sweep:
            found = sweep.submit(look).result()

    assert found == []
    assert gear.storage.exists(late)


def test_an_operator_is_told_of_uploads_and_files_that_do_not_fit(calm_gear: Gear) -> None:
    gear = calm_gear
    shop, _used = furnished(gear)
    gone, litter = store(gear, shop, 2), f"{9:032x}.jpg"
    gear.storage.put(litter, PICTURE, "image/jpeg")
    look = invariants.looks(PATIENT, lambda keys: missing(gear.storage, keys))

    def kinds() -> list[str]:
        with gear.database():
            pages = [page for each in look.values() for page in invariants.follow(each)]
            stored = [key for keys in gear.storage.stored_keys() for key in keys]
            unknown = invariants.unknown_results(stored)
        return [found.kind for page in pages for found in page.findings] + [
            found.where for found in unknown
        ]

    assert kinds() == [f"{litter} in the storage"]

    gear.storage.delete(gone)
    shift(gear, Upload, expires_at=from_now(DAY))
    assert kinds() == ["upload_expires", "upload_missing", f"{litter} in the storage"]
    with gear.database(), db.engine.begin() as connection:
        connection.execute(update(Upload).values(expires_at=None))


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
