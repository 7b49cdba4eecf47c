"""Rows and stored results: what each should know of the other."""

from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.database import reading
from models.invariants.pages import Finding, Page, Start
from models.tables import Attempt, Item, Status, UnwantedFile, Upload

# Every key is a question to the storage.
SIZE = 200

LOST = "Its shop sees a broken picture: restore the file from a backup, or grant its credits back."
LITTER = "Nothing shows it: delete it from the storage when no restore of the database is planned."

# Which of these keys nothing is stored under.
Missing = Callable[[Sequence[str]], set[str]]


def results(after: Start, missing: Missing) -> Page:
    """Each finished image has its result in the storage."""
    return stored(_done, after, missing, "result_missing", "item", LOST)


def stored(
    known: Callable[[int], list[tuple[int, str]]],
    after: Start,
    missing: Missing,
    kind: str,
    name: str,
    to_do: str,
) -> Page:
    """Whether what `known` rows, by id and key, say is in the storage is there; no transaction is
    open meanwhile."""
    assert isinstance(after, int)
    rows = known(after)
    gone = missing([key for _id, key in rows])
    found = [
        Finding(kind, f"{name} {id}", f"{key} in the storage", "nothing", to_do)
        for id, key in rows
        if key in gone
    ]
    return Page(rows[-1][0] if len(rows) == SIZE else None, len(rows), found)


@reading
def _done(session: Session, after: int) -> list[tuple[int, str]]:
    stored = func.coalesce(Item.stored_key, Item.result_key).label("key")
    done = select(Item.id, stored).where(Item.status == Status.DONE, Item.id > after)
    rows = session.execute(done.where(Item.result_key.is_not(None)).order_by(Item.id).limit(SIZE))
    return [(row.id, row.key) for row in rows]


@reading
def unknown_results(session: Session, keys: Sequence[str]) -> list[Finding]:
    """Those of the stored `keys` that belong to no image, to no upload and to no attempt.

    An attempt that was overtaken may have stored its result in vain, and one may be storing it
    now: its key begins with the attempt's. Few keys get as far as that question, which reads all
    attempts.
    """
    known = set(session.scalars(select(Item.result_key).where(Item.result_key.in_(keys))))
    known |= set(session.scalars(select(Upload.key).where(Upload.key.in_(keys))))
    # Made for an image that may be deleted by now, and shown by another.
    known |= set(session.scalars(select(Item.stored_key).where(Item.stored_key.in_(keys))))
    # The next sweep deletes these.
    known |= set(session.scalars(select(UnwantedFile.key).where(UnwantedFile.key.in_(keys))))
    stems = {key: key.partition(".")[0] for key in keys if key not in known}
    if not stems:
        return []
    tried = select(Attempt.result_key).where(Attempt.result_key.in_(set(stems.values())))
    made = set(session.scalars(tried))
    return [
        Finding("unknown_result", f"{key} in the storage", "an image that has it", "none", LITTER)
        for key, stem in stems.items()
        if stem not in made
    ]
