"""`audit list`: what operators did, and who."""

import json

import click

from api.commands.advice import Commands
from api.commands.output import show
from models import audit as book
from models.tables import AuditEntry

audit = Commands("audit", help="Show what operators did.")


@audit.command("list")
@click.option("--about", help="Only what was done to this instance, or to the queue.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), help="Only entries older than this.")
@click.option("--last", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_entries(about: str | None, before: int | None, last: int) -> None:
    """List what was done with this command line, the newest first."""
    show(
        ("id", "when", "who", "what", "of", "details"),
        map(_row, book.entries(last, before, about)),
    )


def _row(entry: AuditEntry) -> tuple[object, ...]:
    details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
    return entry.id, entry.at, entry.actor, entry.action, entry.subject, details
