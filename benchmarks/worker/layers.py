"""The functions at which one layer of a worker calls the next."""

import logging
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.default import DefaultDialect

from benchmarks.worker.names import DRIVER, FLOW, HTTP, LOGS, MODELS, PICTURE, REDIS, SEND, STORAGE
from models import controls
from tasks import collect, optimize
from tasks.download import Downloader
from tasks.gear import Gear
from tasks.limiter import Limiter
from tasks.measure import CallCounter
from tasks.replicate import Replicate
from tasks.storage import Storage
from tasks.wake import Waker

# Where a layer begins: what holds the function, and its name there.
BEGINNINGS: tuple[tuple[str, Any, str], ...] = (
    (FLOW, optimize, "optimize_next"),
    (FLOW, collect, "collect"),
    (SEND, Waker, "_send"),
    (MODELS, controls, "terms"),
    (DRIVER, DefaultDialect, "do_begin"),
    (DRIVER, DefaultDialect, "do_commit"),
    (DRIVER, DefaultDialect, "do_execute"),
    (DRIVER, DefaultDialect, "do_rollback"),
    (DRIVER, PGDialect_psycopg, "do_ping"),
    (HTTP, Downloader, "download_result"),
    (HTTP, Replicate, "_call"),
    (REDIS, CallCounter, "__call__"),
    (REDIS, Limiter, "_run"),
    (REDIS, Limiter, "give_back"),
    (STORAGE, Storage, "put"),
    (PICTURE, collect, "check_image"),
    (PICTURE, collect, "recompress"),
    (LOGS, structlog.BoundLoggerBase, "_proxy_to_logger"),
    (LOGS, logging.Logger, "_log"),
)
CONTEXTS: tuple[tuple[str, Any, str], ...] = ((MODELS, Gear, "database"),)

Wrap = Callable[[str, Callable[..., Any]], Callable[..., Any]]


def install(wrap: Wrap, wrap_context: Wrap) -> None:
    """Put what `wrap` makes of each function in its place."""
    for ways, beginnings in ((wrap, BEGINNINGS), (wrap_context, CONTEXTS)):
        for layer, holder, name in beginnings:
            setattr(holder, name, ways(layer, getattr(holder, name)))
