"""Errors to Sentry, when `SENTRY_DSN` is set, and nothing of what a shop wrote with them.

What leaves the house: the kind of an exception and the lines of our own code that it came through,
the words of a log line, ids. No request, no variables, no message of an exception (it may quote a
prompt, an address or a connection's password): the log has it, under the same ids.

Sentry's own `SENTRY_ENVIRONMENT` and `SENTRY_RELEASE` say where an error comes from.
"""

import os
from typing import TYPE_CHECKING, Any

import structlog

from config.settings import Settings

if TYPE_CHECKING:
    from sentry_sdk.integrations import Integration
    from sentry_sdk.types import Event, Hint

# What may be told of a log line or of what is bound to the context.
IDS = ("request", "instance", "job", "item", "attempt", "prediction", "code", "outcome", "reason")
# Of an event, whatever else the SDK comes to put in.
KEPT = {
    "breadcrumbs", "contexts", "environment", "event_id", "exception", "fingerprint", "level",
    "logentry", "logger", "platform", "release", "sdk", "server_name", "tags", "timestamp",
    "transaction", "transaction_info", "threads",
}  # fmt: skip


def start_sentry(settings: Settings) -> None:
    """Report this process's errors from now on; without a DSN, do nothing.

    Events are sent by a thread of the SDK's own: a Sentry that does not answer delays no request,
    and the end of a process by a second at the most.
    """
    if not settings.sentry_dsn:
        return
    # Half a second of imports, only for those who want it.
    import sentry_sdk  # noqa: PLC0415

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=_environment(settings),
        # Empty rather than None: the SDK would run git to find one.
        release=os.environ.get("SENTRY_RELEASE", ""),
        integrations=_integrations(),
        default_integrations=False,
        auto_enabling_integrations=False,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=without_what_shops_wrote,
        shutdown_timeout=1,
    )


def _environment(settings: Settings) -> str:
    return os.environ.get("SENTRY_ENVIRONMENT") or ("sandbox" if settings.sandbox else "production")


def _integrations() -> "list[Integration]":
    """Only these: the others would record statements, addresses and arguments."""
    from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.celery import CeleryIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.dedupe import DedupeIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.flask import FlaskIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.threading import ThreadingIntegration  # noqa: PLC0415

    return [
        FlaskIntegration(transaction_style="url"),
        CeleryIntegration(propagate_traces=False),
        LoggingIntegration(level=None),
        ThreadingIntegration(),
        ExcepthookIntegration(),
        DedupeIntegration(),
        # At the end of a process it would talk about pending events on standard error.
        AtexitIntegration(callback=lambda _pending, _timeout: None),
    ]


def without_what_shops_wrote(event: "Event", hint: "Hint") -> "Event":
    """Keep what helps to find an error, by a list of what may leave."""
    facts: dict[str, Any] = {**event}
    for name in set(facts) - KEPT:
        del facts[name]
    for exception in facts.get("exception", {}).get("values", []):
        exception["value"] = "see the log"
    record = hint.get("log_record")
    said = record.msg if record is not None else ""
    if record is not None:
        # Our own lines come as a dict; its event is a constant text, and so is a library's
        # message before its arguments are put in.
        told = said.get("event", "") if isinstance(said, dict) else said
        facts["logentry"] = {"message": str(told)}
    ids = {**structlog.contextvars.get_contextvars(), **(said if isinstance(said, dict) else {})}
    tags = {name: str(ids[name]) for name in IDS if name in ids}
    facts["tags"] = {**facts.get("tags", {}), **tags}
    return facts  # type: ignore[return-value]
