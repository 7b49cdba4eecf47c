"""The tables. Statuses and limits are checked by the database too, not only by the code."""

from models.tables.analytics import DailyCount, DailyDuration, DailyError, MonthlyPrompt, Total
from models.tables.instances import CreditEntry, Instance
from models.tables.kinds import (
    EPOCH,
    FINAL,
    IN_DOUBT,
    NOT_ENDED,
    AttemptStatus,
    DeliveryStatus,
    EntryKind,
    Id,
    Status,
)
from models.tables.outgoing import WebhookDelivery, WebhookEndpoint
from models.tables.shelf import PromptPreset, Upload
from models.tables.upkeep import AuditEntry, Control, Heartbeat, IdempotencyKey, UnwantedFile
from models.tables.work import REUSABLE, Attempt, Batch, Item, Job

__all__ = [
    "EPOCH",
    "FINAL",
    "IN_DOUBT",
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
    "Status",
    "Total",
    "UnwantedFile",
    "Upload",
    "WebhookDelivery",
    "WebhookEndpoint",
]
