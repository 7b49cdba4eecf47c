"""The tables. Statuses and limits are checked by the database too, not only by the code.

What happens for every image is said in statements on the tables themselves (`ITEMS`, …), which are
written once and run with parameters: SQLAlchemy takes ten times as long to put a statement together
anew, or to find out what has changed of an object.
"""

from models.tables.analytics import DailyCount, DailyDuration, DailyError, MonthlyPrompt, Total
from models.tables.instances import ENTRIES, INSTANCES, CreditEntry, Instance
from models.tables.kinds import (
    EPOCH,
    FINAL,
    IN_DOUBT,
    NOT_ENDED,
    AttemptStatus,
    DeliveryStatus,
    EntryKind,
    Id,
    States,
    Status,
    fixed,
)
from models.tables.outgoing import ENDPOINTS, WebhookDelivery, WebhookEndpoint
from models.tables.shelf import PromptPreset, Upload
from models.tables.upkeep import AuditEntry, Control, Heartbeat, IdempotencyKey, UnwantedFile
from models.tables.work import ATTEMPTS, ITEMS, JOBS, REUSABLE, Attempt, Batch, Item, Job

__all__ = [
    "ATTEMPTS",
    "ENDPOINTS",
    "ENTRIES",
    "EPOCH",
    "FINAL",
    "INSTANCES",
    "IN_DOUBT",
    "ITEMS",
    "JOBS",
    "NOT_ENDED",
    "REUSABLE",
    "Attempt",
    "AttemptStatus",
    "AuditEntry",
    "Batch",
    "Control",
    "CreditEntry",
    "DailyCount",
    "DailyDuration",
    "DailyError",
    "DeliveryStatus",
    "EntryKind",
    "Heartbeat",
    "Id",
    "IdempotencyKey",
    "Instance",
    "Item",
    "Job",
    "MonthlyPrompt",
    "PromptPreset",
    "States",
    "Status",
    "Total",
    "UnwantedFile",
    "Upload",
    "WebhookDelivery",
    "WebhookEndpoint",
    "fixed",
]
