"""A catalogue's file among threads: one of them reads it, and nobody waits for long."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from api.catalogue.errors import CatalogueUnavailable
from api.catalogue.interface import Product
from api.catalogue.json_file import JsonFile
from tests.api.catalogues import cup, written
from tests.service import wait_until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "products.json"


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(6) as threads:
        yield threads


def first(catalogue: JsonFile) -> Product:
    return catalogue.shelf(None, "", None, 1).products[0]


class Slow:
    """Stands in a file's place: a pipe, whose reader waits until all is written."""

    def __init__(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        os.mkfifo(file)
        self._file = file
        self._pipe = -1

    def wait_for_its_reader(self) -> None:
        """Return when somebody has begun to read."""
        wait_until(self._is_open, "nobody reads the file")

    def _is_open(self) -> bool:
        try:
            self._pipe = os.open(self._file, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        return True

    def end(self, content: bytes) -> None:
        """Let the reader have it."""
        os.write(self._pipe, content)
        os.close(self._pipe)


def test_threads_that_come_at_once_read_a_file_once(
    file: Path, threads: ThreadPoolExecutor
) -> None:
    catalogue, start = JsonFile(written(file, *(cup(n) for n in range(500)))), Barrier(6)

    def ask(_number: int) -> int:
        start.wait(30)
        return id(first(catalogue))

    assert len(set(threads.map(ask, range(6)))) == 1


def test_while_one_thread_reads_the_others_go_on_with_what_was_read_last(
    file: Path, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    catalogue = JsonFile(written(file, cup(1, name="old")))
    first(catalogue)
    slow = Slow(file)
    reader: Future[Product] = threads.submit(first, catalogue)
    slow.wait_for_its_reader()

    others = [threads.submit(first, catalogue) for _ in range(5)]
    seen = [other.result(30).name for other in others]
    slow.end(written(tmp_path / "new.json", cup(1, name="new")).read_bytes())

    assert seen == ["old"] * 5
    assert reader.result(30).name == "new"


def test_the_first_reading_is_waited_for_but_not_for_ever(
    file: Path, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    catalogue = JsonFile(file, patience=0.1)
    slow = Slow(file)
    reader = threads.submit(first, catalogue)
    slow.wait_for_its_reader()

    with pytest.raises(CatalogueUnavailable, match="still being read"):
        first(catalogue)
    slow.end(written(tmp_path / "new.json", cup(1, name="new")).read_bytes())

    assert reader.result(30).name == "new"
