"""What must hold in the rows at every moment, checked on a live database without changing it.

Items, counters and credits change together in one transaction, so whatever is compared is read in
one snapshot: a difference that is seen is there. Tables are read in pages by id, each in a short
transaction of its own, so that a million images neither fill the memory nor hold the database up.
"""

from functools import partial

from models.invariants.analytics import daily_counts
from models.invariants.answers import answers
from models.invariants.attempts import attempts
from models.invariants.batches import batches
from models.invariants.credits import balances, entries
from models.invariants.deliveries import deliveries
from models.invariants.images import images
from models.invariants.jobs import jobs
from models.invariants.overdue import (
    LATE,
    Patience,
    creates_in_doubt,
    oldest_under_way,
    overdue_attempts,
    overdue_images,
)
from models.invariants.pages import Finding, Look, Page, follow, sizes
from models.invariants.results import Missing, results, unknown_results
from models.invariants.totals import totals
from models.invariants.uploads import ordered_uploads, sent_uploads, stored_uploads

__all__ = [
    "ALWAYS",
    "LATE",
    "Finding",
    "Look",
    "Page",
    "Patience",
    "creates_in_doubt",
    "findings",
    "follow",
    "looks",
    "oldest_under_way",
    "sizes",
    "unknown_results",
]

# What no crash, race or repetition may break, by the table that is read.
ALWAYS: dict[str, Look] = {
    "instances": balances,
    "credit entries": entries,
    "jobs": jobs,
    "batches": batches,
    "images": images,
    "attempts": attempts,
    "ordered uploads": ordered_uploads,
    "sent uploads": sent_uploads,
    "kept answers": answers,
    "daily counts": daily_counts,
    "totals": totals,
    "webhook deliveries": deliveries,
}


def looks(patience: Patience, missing: Missing | None = None) -> dict[str, Look]:
    """Every look that an operator takes: also at what is late, and, where `missing` can ask the
    storage, at the results and the uploads."""
    late: dict[str, Look] = {
        "late attempts": overdue_attempts,
        "late images": partial(overdue_images, patience=patience),
    }
    if missing is None:
        return ALWAYS | late
    stored: dict[str, Look] = {
        "results": partial(results, missing=missing),
        "uploads": partial(stored_uploads, missing=missing),
    }
    return ALWAYS | late | stored


def findings() -> list[Finding]:
    """Everything that is wrong whatever the time, in a small database."""
    pages = (page for look in ALWAYS.values() for page in follow(look))
    return [finding for page in pages for finding in page.findings]
