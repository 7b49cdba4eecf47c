"""Replicate's list, read to its end or known not to be."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tasks.provider_errors import (
    Retryable,
)
from tests.replicate_bench import Bench, replicate_bench, row
from tests.scripted_server import (
    answer,
    scripted_server,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with replicate_bench() as bench:
        yield bench


def test_a_page_with_an_aborted_row_is_read_whole_and_the_next_one_follows(bench: Bench) -> None:
    second = f"{bench.server.url}/v1/predictions?cursor=two"
    bench.server.play(
        answer(200, {"results": [row("aborted", "a1"), row("failed", "a2")], "next": second}),
        answer(200, {"results": [{"id": None}, 5, row("starting", "a3")], "next": None}),
    )

    found = list(bench.client.list_predictions("2026-01-02T03:04:05+00:00"))

    assert [(one.id, one.status) for one in found] == [
        ("a1", "aborted"),
        ("a2", "failed"),
        ("a3", "starting"),
    ]
    assert [request.target for request in bench.server.requests] == [
        "/v1/predictions?created_after=2026-01-02T03%3A04%3A05%2B00%3A00",
        "/v1/predictions?cursor=two",
    ]


@pytest.mark.parametrize(
    "since",
    [
        datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001  as SQLite gives it
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_moment_is_asked_for_in_utc(bench: Bench, since: datetime) -> None:
    bench.server.play(answer(200, {"results": [], "next": None}))

    found = list(bench.client.list_predictions(since))

    assert found == []
    assert bench.server.requests[0].target.endswith("=2026-01-02T03%3A04%3A05.000000Z")


def test_a_next_page_at_another_host_gets_no_request_and_no_token(bench: Bench) -> None:
    with scripted_server() as other:
        page = {"results": [row(name="a1")], "next": f"{other.url}/v1/predictions?cursor=two"}
        bench.server.play(answer(200, page))
        listed = bench.client.list_predictions("2026-01-02T03:04:05Z")

        first = next(listed)
        with pytest.raises(Retryable):
            next(listed)

        assert first.id == "a1"
        assert other.requests == []


def test_a_list_without_end_is_not_taken_for_a_whole_one(bench: Bench) -> None:
    page = {"results": [], "next": f"{bench.server.url}/v1/predictions?cursor=again"}
    bench.server.play(answer(200, page))

    with pytest.raises(Retryable):
        list(bench.client.list_predictions("2026-01-02T03:04:05Z", max_pages=3))

    assert len(bench.server.requests) == 3


@pytest.mark.parametrize("page", [{"next": None}, {"results": 5}, {"results": {"a": 1}}])
def test_a_page_without_rows_is_retryable(bench: Bench, page: dict[str, object]) -> None:
    bench.server.play(answer(200, page))

    with pytest.raises(Retryable):
        list(bench.client.list_predictions("2026-01-02T03:04:05Z"))
