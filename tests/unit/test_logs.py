"""Lines are JSON, and secrets are hidden whoever says them and however."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.databases import settings_for
from tests.logs import Written, production_logs

OWN = settings_for(
    "postgresql://darkroom:the-database's-own@db/darkroom",
    redis_url="redis://:the-broker's-own@redis/0",
    secret_key='signs"every-cursor',
    metrics_token="opens-the-metrics",
    flower_basic_auth="operator:stops-the-workers",
)


@pytest.fixture
def written() -> Iterator[Written]:
    with production_logs(OWN) as logs:
        yield logs


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("to redis://:a-password@host:6379/0.", "to redis://***@host:6379/0."),
        ("postgresql+psycopg://me:p%40ss@host/db", "postgresql+psycopg://***@host/db"),
        ("dk_0123456789abcdefghij-_", "***"),
        ("token r8_abcdefgh1234, whsec_c2VjcmV0!", "token ***, ***!"),
        ("Authorization: Bearer abcdefgh.ijk/l==", "Authorization: Bearer ***"),
        ("the-broker's-own", "***"),
        ("the-database's-own", "***"),
        ('signs"every-cursor', "***"),
        ("opens-the-metrics stops-the-workers", "*** ***"),
        ("https://shop.example/a.jpg at 12:30@home", "https://shop.example/a.jpg at 12:30@home"),
    ],
)
def test_secrets_are_hidden_in_messages_fields_and_exceptions(
    written: Written, told: str, kept: str
) -> None:
    logging.getLogger("kombu").info("it said %s", told)
    structlog.get_logger("ours").info("event", detail={"nested": told})
    structlog.get_logger("ours").error("failed", exc_info=ValueError(told))

    message, field, exception = written.lines()
    assert message["event"] == f"it said {kept}"
    assert field["detail"] == {"nested": kept}
    assert exception["exception"][0]["exc_value"] == kept


def test_a_line_carries_what_is_bound_to_its_context(written: Written) -> None:
    with structlog.contextvars.bound_contextvars(job=7, item=9):
        logging.getLogger("a.library").warning("over there")

    (line,) = written.lines()
    assert (line["job"], line["item"], line["level"]) == (7, 9, "warning")


@pytest.mark.parametrize(("level", "heard"), [("DEBUG", 3), ("INFO", 2), ("ERROR", 1)])
def test_messages_that_come_and_go_are_logged_for_debugging_only(level: str, heard: int) -> None:
    with production_logs(level=level) as written:
        about_messages = logging.getLogger("celery.app.trace")
        about_messages.info("Task succeeded")
        about_messages.warning("odd")
        about_messages.error("broken")

    assert len(written.lines()) == heard
