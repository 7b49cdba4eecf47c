"""Uploads of a shop, images that were ordered of them, and a Replicate that takes files."""

from typing import BinaryIO

from sqlalchemy import select, update

from models import lifecycle, uploads
from models.database import db
from models.orders import ImageOrder, JobOrder
from models.tables import Attempt, Item, Upload
from tasks.gear import Gear
from tasks.provider_errors import Retryable
from tasks.provider_files import UploadedFile
from tests.outside import Outside
from tests.pictures import file_of, painted
from tests.shop import PRICE, open_shop

PICTURE = file_of(painted(), "PNG")
DAY = 24 * 3600.0


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
    """The image, as it is now."""
    with gear.database():
        return db.session.scalars(select(Item)).one()


def attempts(gear: Gear) -> list[Attempt]:
    """Every attempt, the oldest first."""
    with gear.database():
        return list(db.session.scalars(select(Attempt).order_by(Attempt.id)))


def upload(gear: Gear, key: str) -> Upload | None:
    """An upload's row; None when it is gone."""
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
