"""What is older than the retention goes, files and all, and nothing else, on both databases."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import insert, update

from models import invariants, ledger, lifecycle, retention
from models.clock import from_now, now
from models.database import db
from models.tables import (
    Attempt,
    Batch,
    IdempotencyKey,
    Item,
    Job,
    Upload,
    WebhookDelivery,
    WebhookEndpoint,
)
from tasks.gear import Gear
from tasks.retention import Broom, old, retain
from tasks.storage import Storage, StorageUnavailable
from tests.broken import break_rows
from tests.old_jobs import (
    MONTH,
    PICTURE,
    finish_all,
    ids,
    litter,
    make_old,
    old_job,
    reuse,
    stem,
    stored,
    write,
)
from tests.shop import PRICE, open_shop, submit

UPLOAD = f"{'a' * 32}.jpg"
PHOTO = {"sha256": "", "content_type": "image/jpeg", "bytes": 1, "width": 1, "height": 1}


def test_a_job_goes_with_everything_that_names_it(gear: Gear) -> None:
    gear = replace(gear, settings=replace(gear.settings, result_retention=MONTH))
    with gear.database():
        alice, bob = open_shop("alice"), open_shop("bob")
        gone, _keys = old_job(gear.storage, alice, images=3)
        recent = submit(alice, product="mug").job.id
        (recent_key,) = finish_all(gear.storage)
        waiting = submit(bob).job.id
        batch = db.session.scalars(
            insert(Batch).values(instance_id=alice, total_jobs=1, total_images=3, created_at=now())
            .returning(Batch.id)
        ).one()  # fmt: skip
        endpoint = db.session.scalars(
            insert(WebhookEndpoint)
            .values(instance_id=alice, url="https://a.example", events=[], secret="whsec_x",
                    created_at=now(), version=1)
            .returning(WebhookEndpoint.id)
        ).one()  # fmt: skip
        told = insert(WebhookDelivery).values(
            endpoint_id=endpoint, instance_id=alice, message_id="msg", event="job.completed",
            job_id=gone, status="DELIVERED", attempts=1, created_at=now(), finished_at=now(),
        )  # fmt: skip
        db.session.execute(told)
        write(update(Job).where(Job.id == gone).values(batch_id=batch))

        report = retain(gear)

        assert report == "1 old jobs and 3 files deleted"
        assert ids(Job.id) == [recent, waiting]
        assert [ids(each) for each in (Batch.id, WebhookDelivery.id)] == [[], []]
        assert ids(IdempotencyKey.key) == []
        assert stored(gear.storage) == {recent_key}
        assert litter(gear.storage) == []
        assert ledger.account(alice).balance == 15_000 - 4 * PRICE


def test_what_a_process_that_died_left_is_deleted_later(gear: Gear) -> None:
    with gear.database():
        shop = open_shop("alice")
        old_job(gear.storage, shop)
        retention.delete_old_jobs(shop, MONTH)
        between = (litter(gear.storage), len(stored(gear.storage)))
        gear.storage.delete(next(iter(stored(gear.storage))))

        report = retain(gear)  # Its settings keep results for good.

        assert between == ([], 1)
        assert report == "0 old jobs and 1 files deleted"
        assert retain(gear) == "0 old jobs and 0 files deleted"


class Broken(Storage):
    """A bucket that refuses to delete."""

    def __init__(self) -> None:
        pass

    def delete(self, key: str) -> None:
        """Answer like one whose rights are wrong."""
        raise StorageUnavailable(f"storage delete: {key}")


def test_a_storage_that_refuses_stops_more_rows_from_going(gear: Gear) -> None:
    with gear.database():
        alice, bob = open_shop("alice"), open_shop("bob")
        old_job(gear.storage, alice)
        old_job(gear.storage, bob)
        refusing = Broom(Broken(), gear.database)

        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                list(old(refusing, MONTH))
        left = len(ids(Job.id))
        list(old(Broom(gear.storage, gear.database), MONTH))

        assert left == 1
        assert (ids(Job.id), stored(gear.storage)) == ([], set())


def test_a_result_stays_while_an_image_shows_it(gear: Gear) -> None:
    broom = Broom(gear.storage, gear.database)
    with gear.database():
        shop = open_shop("alice")
        first, (key,) = old_job(gear.storage, shop)
        again = reuse(shop, key)
        write(update(Job).where(Job.id == again).values(retry_of=first))

        list(old(broom, MONTH))
        while_shown = (stored(gear.storage), ids(Job.retry_of), ids(Item.reused_from))
        assert litter(gear.storage) == []
        make_old(again)

        list(old(broom, MONTH))

        assert while_shown == ({key}, [None], [None])
        assert not ids(Item.id)
        assert stored(gear.storage) == set()


def test_what_an_overtaken_attempt_stored_goes_too(gear: Gear) -> None:
    with gear.database():
        shop = open_shop("alice")
        job_id = submit(shop).job.id
        turn = lifecycle.claim_next(600.0)
        assert turn
        lifecycle.note(turn.attempt_id, "p1", 1.0)
        gear.storage.put(f"{stem(turn.attempt_id)}.png", PICTURE, "image/png")
        lifecycle.fail(turn.attempt_id, "timed_out", refund=True)
        make_old(job_id)

        list(old(Broom(gear.storage, gear.database), MONTH))

        assert stored(gear.storage) == set()
        assert litter(gear.storage) == []


def test_what_is_still_needed_stays(gear: Gear) -> None:
    with gear.database():
        shop = open_shop("alice")
        uncounted = submit(shop).job.id
        finish_all(gear.storage)
        write(update(Job).values(finished_at=from_now(-2 * MONTH)))
        canceled, _keys = old_job(gear.storage, open_shop("bob"))
        write(update(Attempt).where(Attempt.id == 2).values(cancel_at=now()))
        waiting = submit(shop, product="mug").job.id
        write(update(Job).where(Job.id == waiting).values(created_at=from_now(-2 * MONTH)))

        pages = list(old(Broom(gear.storage, gear.database), MONTH))

        assert pages == []
        assert ids(Job.id) == [uncounted, canceled, waiting]
        write(update(Attempt).where(Attempt.id == 2).values(cancel_at=None))


def test_no_id_is_given_out_twice(in_database: Flask, tmp_path: object) -> None:
    shop = open_shop("alice")
    first = submit(shop, images=2).job.id
    lifecycle.cancel_waiting(shop)
    make_old(first)
    retention.delete_old_jobs(shop, MONTH)

    second = submit(shop).job.id

    assert (ids(Job.id), ids(Item.id)) == ([second], [3])
    assert second > first


def test_a_charge_for_a_job_that_never_was_is_found_beside_deleted_ones(bare_app: Flask) -> None:
    with bare_app.app_context():
        shop = open_shop("alice")
        submit(shop, images=2)
        lifecycle.cancel_waiting(shop)
        make_old(1)
        retention.delete_old_jobs(shop, MONTH)
        quiet = invariants.findings()
    for kind, amount, reference in (
        ("CHARGE", -15, "charge:job:77"),
        ("REFUND", 15, "refund:item:77"),
    ):
        break_rows(
            bare_app,
            "INSERT INTO credit_entries (instance_id, kind, amount, balance_after, reference,"
            f" created_at) SELECT 1, '{kind}', {amount}, balance + {amount}, '{reference}',"
            " created_at FROM instances",
            f"UPDATE instances SET balance = balance + {amount}",
        )  # fmt: skip

    with bare_app.app_context():
        found = [finding.kind for finding in invariants.findings()]

    assert (quiet, found) == ([], ["charges", "refunds"])
    break_rows(
        bare_app,
        "DELETE FROM credit_entries WHERE reference IN ('charge:job:77', 'refund:item:77')",
    )


def test_uploads_go_once_no_image_names_them(in_database: Flask) -> None:
    shop = open_shop("alice")
    used = submit(shop).job.id
    lifecycle.cancel_waiting(shop)
    past = from_now(-2 * MONTH)
    for key in (UPLOAD, UPLOAD.replace("a", "b")):
        db.session.execute(insert(Upload).values(instance_id=shop, key=key, **PHOTO))
    write(update(Upload).values(created_at=past, last_used_at=past))
    write(
        update(Item).values(reference_urls=[f"/uploads/{UPLOAD}"]),
        update(Job).values(created_at=past),
    )

    first = retention.expire_old_uploads(shop, MONTH)
    then = retention.next_uploader(MONTH)
    make_old(used)
    retention.delete_old_jobs(shop, MONTH)
    write(update(Upload).where(Upload.key == UPLOAD).values(last_used_at=past))
    last = retention.expire_old_uploads(shop, MONTH)

    assert (first, then, last) == (1, None, 1)
    assert all(moment is not None for moment in ids(Upload.expires_at))
