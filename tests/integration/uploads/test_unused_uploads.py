"""What becomes of an upload that nobody uses, or that does not fit its rows."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from models import invariants, uploads
from models.clock import from_now, now
from models.database import db
from models.tables import Upload
from tasks.gear import Gear
from tasks.stored import missing
from tasks.sweep import sweep_once
from tests.integration.uploads.kit import DAY, PICTURE, furnished, shift, store, upload
from tests.service import wait_until

PATIENT = invariants.Patience(DAY, None)


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
