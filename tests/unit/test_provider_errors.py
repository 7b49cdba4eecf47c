"""Errors are sorted into later, never and unknown, and waits are read from wherever they stand."""

import httpx
import pytest

from models.explanations import EXPLANATIONS
from tasks import provider_errors
from tasks.answers import sort_answer, sort_fault
from tasks.provider_errors import (
    OUTCOMES,
    Ambiguous,
    Failure,
    OperatorNeeded,
    Permanent,
    ProviderError,
    RateLimited,
    Retryable,
    sort_failure,
)
from tasks.retry_after import retry_after


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The input or output was flagged as sensitive. Please try again. (E005)",
            Failure("content_flagged", "never"),
        ),
        ("Service is unavailable due to high demand (E003)", Failure("model_busy", "later")),
        ("Try again later (E004)", Failure("model_busy", "later")),
        ("Account (E001)", Failure("model_busy", "later", alarm=True)),
        ("Account (E002)", Failure("model_busy", "later", alarm=True)),
        (
            "Input validation error: 403 Client Error: Forbidden for url https://a/(E003).jpg",
            Failure("bad_image_url", "never"),
        ),
        ("Input validation error: aspect_ratio must be one of", Failure("invalid_input", "never")),
        ("No image content found in response", Failure("model_failed", "once")),
        ("Director: unexpected error (E9243)", Failure("model_failed", "once")),
        ("", Failure("model_failed", "once")),
        (None, Failure("model_failed", "once")),
    ],
)
def test_a_failed_predictions_text_decides_whether_it_runs_again(
    text: str | None, expected: Failure
) -> None:
    assert sort_failure(text) == expected


def test_every_end_of_a_call_is_among_the_outcomes() -> None:
    kinds = [kind for kind in vars(provider_errors).values() if isinstance(kind, type)]

    ends = {getattr(kind, "outcome", "ok") for kind in kinds if issubclass(kind, ProviderError)}

    assert sorted(OUTCOMES) == sorted(ends)


def test_every_failure_has_a_sentence_that_shows_no_provider_text() -> None:
    codes = {sort_failure(text).code for text in ("(E001)", "(E003)", "(E005)", None)}

    assert codes <= set(EXPLANATIONS)
    sentences = [explanation.sentence for explanation in EXPLANATIONS.values()]
    assert all(sentence.endswith(".") and "E00" not in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("headers", "document", "seconds"),
    [
        ({"Retry-After": "7"}, {"retry_after": 30}, 7.0),
        ({"Retry-After": "2.5"}, None, 2.5),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:40 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            None,
            40.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:40 GMT"}, {"retry_after": 30}, 30.0),
        ({}, {"retry_after": "12"}, 12.0),
        ({}, {"detail": "Request was throttled. Your rate limit resets in ~30s."}, 30.0),
        ({}, {"detail": "Your rate limit resets in 2m"}, 120.0),
        ({"Retry-After": "soon"}, {"retry_after": True, "detail": 5}, None),
        ({"Retry-After": "-1"}, {"retry_after": 4}, 4.0),
        ({"Retry-After": "nan"}, None, None),
        ({"Retry-After": "inf"}, None, 600.0),
        ({"Retry-After": "9" * 400}, None, 600.0),
        ({"Retry-After": "0"}, None, 1.0),
        ({}, {"retry_after": 10**400}, None),
        ({}, [1, 2], None),
        ({}, None, None),
    ],
)
def test_the_wait_is_read_from_header_body_or_sentence_and_kept_sensible(
    headers: dict[str, str], document: object, seconds: float | None
) -> None:
    assert retry_after(httpx.Headers(headers), document) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "creating", "expected"),
    [
        (400, {}, True, Permanent),
        (404, {}, True, OperatorNeeded),
        (422, {}, True, Permanent),
        (404, {}, False, Permanent),
        (401, {}, True, OperatorNeeded),
        (402, {}, True, OperatorNeeded),
        (403, {}, False, OperatorNeeded),
        (301, {}, True, OperatorNeeded),
        (429, {}, True, RateLimited),
        (429, {}, False, RateLimited),
        (408, {}, True, Ambiguous),
        (500, {}, True, Ambiguous),
        (502, {"Retry-After": "5"}, True, Ambiguous),
        (503, {}, True, Ambiguous),
        (503, {"Retry-After": "soon"}, True, Ambiguous),
        (503, {"Retry-After": "5"}, True, Retryable),
        (500, {}, False, Retryable),
        (503, {}, False, Retryable),
        (200, {}, False, Retryable),
        (201, {}, True, Ambiguous),
        (204, {}, True, Ambiguous),
    ],
)
def test_an_answer_without_a_json_object_is_sorted_by_its_status(
    status: int, headers: dict[str, str], creating: bool, expected: type[ProviderError]
) -> None:
    error = sort_answer(status, httpx.Headers(headers), None, creating)

    assert type(error) is expected


def test_a_throttled_call_without_a_time_pauses_for_ten_seconds() -> None:
    error = sort_answer(429, httpx.Headers(), None, creating=True)

    assert isinstance(error, RateLimited)
    assert error.after == 10.0


@pytest.mark.parametrize(
    ("fault", "creating", "expected"),
    [
        (httpx.ConnectError("x"), True, Retryable),
        (httpx.ConnectTimeout("x"), True, Retryable),
        (httpx.PoolTimeout("x"), True, Retryable),
        (httpx.ReadTimeout("x"), True, Ambiguous),
        (httpx.WriteTimeout("x"), True, Ambiguous),
        (httpx.WriteError("x"), True, Ambiguous),
        (httpx.ReadError("x"), True, Ambiguous),
        (httpx.RemoteProtocolError("x"), True, Ambiguous),
        (httpx.LocalProtocolError("x"), True, Ambiguous),
        (httpx.DecodingError("x"), True, Ambiguous),
        (httpx.ReadTimeout("x"), False, Retryable),
        (httpx.RemoteProtocolError("x"), False, Retryable),
    ],
)
def test_a_fault_before_sending_is_retryable_and_a_later_one_ambiguous_for_a_create(
    fault: httpx.RequestError, creating: bool, expected: type[ProviderError]
) -> None:
    assert type(sort_fault(fault, creating)) is expected
