"""What goes wrong ends in one line that says what to do next, never in a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from models.errors import DomainError
from tasks.storage import StorageUnavailable

SEE_INSTANCES = "`flask --app wsgi instances list` shows those there are."
SEE_JOBS = "`flask --app wsgi jobs list` shows those there are."
# SQLite words it, PostgreSQL has a code for it.
NO_TABLE = ("no such table", "42P01")


class Commands(AppGroup):
    """A group of commands that explains a database which is down or has no tables yet."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what the database refuses becomes one line and exit code 1."""
        with explained():
            return super().invoke(ctx)


@contextmanager
def explained(kind: type[click.ClickException] = click.ClickException) -> Iterator[None]:
    """Turn what the database or the storage refuses into one line and the exit code of `kind`."""
    try:
        yield
    except (DBAPIError, StorageUnavailable) as error:
        raise kind(_explain(error)) from error


@contextmanager
def advise(next_step: str) -> Iterator[None]:
    """Turn a domain error into its own sentence and `next_step`."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(f"{error} {next_step}".rstrip()) from error


def _explain(error: DBAPIError | StorageUnavailable) -> str:
    if isinstance(error, StorageUnavailable):
        return f"The storage does not answer ({error}): check STORAGE_URL."
    told = " ".join(str(error.orig).split())
    if any(sign in f"{told} {getattr(error.orig, 'sqlstate', '')}" for sign in NO_TABLE):
        return "The database has no tables yet: run `flask --app wsgi db upgrade` first."
    return f"The database does not do it ({told}): check DATABASE_URL and that it runs."
