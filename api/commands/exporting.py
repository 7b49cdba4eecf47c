"""`instances export`: all that there is of one shop, in a file to be handed to it."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import click

from api import current
from api.commands.acting import acting
from api.commands.advice import SEE_INSTANCES, advise
from api.commands.bars import bar, size
from api.commands.instances import instances
from models import accounts, audit, exporting
from models.tables import Item, Upload

README = """\
All that Darkroom keeps of the instance {name}, read on {when} while the service ran.

Each .jsonl file holds one JSON object a line. Times are UTC. Ids connect the files: an item's jobId
is the id of its job. Left out are the token and the secrets of webhooks, which nobody can be shown.

{parts}
{pictures}
"""
PICTURES = """\
results/  The finished images. An item's file is its storedKey or, without one, its resultKey.
uploads/  The pictures that the shop uploaded, by their key.
          {missing} files were not in the storage (any more)."""
Step = Callable[[], None]


@instances.command("export")
@click.argument("name")
@click.option(
    "--to",
    "path",
    required=True,
    metavar="FILE.zip",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file; it is for you alone to read.",
)
@click.option("--with-results", is_flag=True, help="The images too: finished ones and uploads.")
@acting
def export(name: str, path: Path, with_results: bool, actor: str) -> None:
    """Write what there is of an instance into a zip of JSON Lines; nothing is changed."""
    with advise(SEE_INSTANCES):
        instance_id = accounts.find(name).id
    total = exporting.count(instance_id)
    with _new_zip(path) as archive, bar() as shown:
        task = shown.add_task("rows and files", total=total)
        counts = _write(archive, instance_id, with_results, lambda: shown.advance(task))
        _write_readme(archive, name, counts)
    rows = sum(counts[part] for part in exporting.PARTS)
    files = counts.get("files", 0)
    audit.record(actor, "instances export", name, rows=rows, files=files)
    click.echo(f"{path}: {rows} rows, {files} files, {size(path.stat().st_size)}")


@contextmanager
def _new_zip(path: Path) -> Iterator[ZipFile]:
    """Half an export never bears the name of a whole one, and nobody else may read it."""
    part = path.with_name(f"{path.name}.part")
    if path.exists():
        raise click.ClickException(f"{path} is there already: choose another name.")
    try:
        opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w+b") as file, ZipFile(file, "w") as archive:
            yield archive
        part.rename(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _write(archive: ZipFile, instance_id: int, pictures: bool, step: Step) -> dict[str, int]:
    """Write every part and, if wanted, the pictures; return how many rows and files."""
    counts = {part: _write_rows(archive, part, instance_id, step) for part in exporting.PARTS}
    if pictures:
        counts |= {"files": 0, "missing": 0, "shared": 0}
        for folder, table in (("results", Item), ("uploads", Upload)):
            for key in _keys(instance_id, table):
                counts[_write_file(archive, f"{folder}/{key}", key)] += 1
    return counts


def _write_rows(archive: ZipFile, part: str, instance_id: int, step: Step) -> int:
    written = 0
    with archive.open(_entry(f"{part}.jsonl", ZIP_DEFLATED), "w", force_zip64=True) as file:
        for page in exporting.rows(part, instance_id):
            for row in page:
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                step()
            written += len(page)
    return written


def _keys(instance_id: int, table: Any) -> Iterator[str]:
    after = 0
    while page := exporting.files(instance_id, table, after):
        yield from (key for _id, key in page)
        after = page[-1][0]


def _write_file(archive: ZipFile, name: str, key: str) -> str:
    """Copy a picture piece by piece, once for all images that show it; say how that went."""
    if name in archive.NameToInfo:
        return "shared"
    try:
        _size, pieces = current.parts().storage.stream(key)
    except FileNotFoundError:
        return "missing"
    with archive.open(_entry(name, ZIP_STORED), "w") as file:
        for piece in pieces:
            file.write(piece)
    return "files"


def _write_readme(archive: ZipFile, name: str, counts: dict[str, int]) -> None:
    parts = "\n".join(
        f"{f'{part}.jsonl':26}{counts[part]:>9}  {exporting.PARTS[part].what}"
        for part in exporting.PARTS
    )
    pictures = PICTURES.format(missing=counts["missing"]) if "missing" in counts else ""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    text = README.format(name=name, when=when, parts=parts, pictures=pictures)
    archive.writestr(_entry("README.txt", ZIP_DEFLATED), text.encode())


def _entry(name: str, compression: int) -> ZipInfo:
    entry = ZipInfo(name, time.gmtime()[:6])
    entry.compress_type = compression
    entry.external_attr = 0o600 << 16
    return entry
