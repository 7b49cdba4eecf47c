"""What can go wrong at Replicate, sorted once into later, never and unknown.

*Later* is `Retryable`, *never* is `Permanent`, *unknown* is `Ambiguous`: a create that may have
been accepted. `OperatorNeeded` is the fourth: nothing is wrong with the image, the account is.
The names are the words of this sorting, so they carry no `Error`.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal


class ProviderError(Exception):
    """A call that did not do what it should; `outcome` names its class in the metrics."""

    outcome: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Retryable(ProviderError):
    """Nothing was changed or paid: try again, `after` seconds from now where the answer says so."""

    outcome = "retryable"

    def __init__(self, detail: str = "", after: float | None = None) -> None:
        super().__init__(detail)
        self.after = after


class NotSent(ProviderError):
    """A create that was held back at the last moment: its grant had become too old."""

    outcome = "not_sent"


class RateLimited(Retryable):
    """A 429: nobody may create anything for `after` seconds."""

    outcome = "rate_limited"
    after: float

    def __init__(self, detail: str = "", after: float = 10.0) -> None:
        super().__init__(detail, after)


class Permanent(ProviderError):
    """Trying again would end the same way; `code` is a key of `EXPLANATIONS`."""

    outcome = "permanent"

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code


class ResultGone(Permanent):
    """Replicate has deleted the result."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("result_lost", detail)


class ResultUnusable(Permanent):
    """What came is not an image that may be handed on."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("result_unusable", detail)


class OperatorNeeded(ProviderError):
    """The account or the configuration is wrong; `reason` says which, and no image is to blame."""

    outcome = "operator"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


class Ambiguous(ProviderError):
    """A create that may have been accepted: look for its prediction before sending it again."""

    outcome = "ambiguous"


# How a call can end, as the metrics name it; subclasses share their parent's.
OUTCOMES = (
    "ok",
    *(
        kind.outcome
        for kind in (Retryable, NotSent, RateLimited, Permanent, OperatorNeeded, Ambiguous)
    ),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed prediction: what to tell, whether to run it again, whether to call the operator."""

    code: str
    retry: Literal["never", "later", "once"]
    alarm: bool = False


# The first pattern that matches decides. Input errors come first: they quote a URL of the shop,
# which may hold any text.
_FAILURES = (
    (r"^Input validation error\b.*\burl\b", Failure("bad_image_url", "never")),
    (r"^Input validation error\b", Failure("invalid_input", "never")),
    (r"\(E005\)|flagged as sensitive", Failure("content_flagged", "never")),
    (r"\(E00[34]\)", Failure("model_busy", "later")),
    # The model's owner has trouble with the account behind the model: only people can mend that.
    (r"\(E00[12]\)", Failure("model_busy", "later", alarm=True)),
    (r"cannot identify image file", Failure("bad_image_url", "never")),
)


def sort_failure(error: str | None) -> Failure:
    """Sort the `error` of a failed prediction; one without a known text is worth one more run."""
    for pattern, failure in _FAILURES:
        if re.search(pattern, error or "", re.IGNORECASE | re.DOTALL):
            return failure
    return Failure("model_failed", "once")
