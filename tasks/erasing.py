"""Erasing an instance's rows and files, for operators on the command line."""

from collections.abc import Iterator

from models import analytics, erasing
from tasks.retention import Broom, Progress, leftovers


def erase(broom: Broom, instance_id: int) -> Iterator[Progress]:
    """Delete everything of a disabled instance that is not in use, page by page.

    It may be broken off after any page, and between a page's rows and its files.
    """
    yield from leftovers(broom)
    with broom.database():
        while analytics.count_page(instance_id):
            pass
    while True:
        with broom.database():
            gone = erasing.erase_jobs(instance_id)
        if not gone.jobs:
            break
        yield Progress(gone.jobs, gone.images, len(gone.files), broom.clear(gone.files))
    while True:
        with broom.database():
            files = erasing.erase_uploads(instance_id)
        if not files:
            break
        yield Progress(files=len(files), bytes=broom.clear(files), uploads=len(files))
    yield from _rest(broom, instance_id)


def _rest(broom: Broom, instance_id: int) -> Iterator[Progress]:
    more = True
    while more:
        with broom.database():
            more = erasing.erase_rest(instance_id)
        yield Progress()
