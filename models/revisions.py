"""The newest migration, read from the files themselves.

Alembic would tell as well, but it takes 8 MB and longer to import than Flask: an API process that
is asked whether it is ready needs no more than this one name.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "migrations"

REVISION = re.compile(r"^revision = '(\w+)'$", re.MULTILINE)
BEFORE_IT = re.compile(r"^down_revision = '(\w+)'$", re.MULTILINE)


@cache
def newest() -> str:
    """The revision that no other one comes after: the migrations are one line."""
    texts = [file.read_text() for file in (FOLDER / "versions").glob("*.py")]
    followed = {name for text in texts for name in BEFORE_IT.findall(text)}
    last: str
    (last,) = {name for text in texts for name in REVISION.findall(text)} - followed
    return last
