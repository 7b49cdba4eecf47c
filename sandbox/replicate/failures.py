"""The ways in which Replicate's predictions fail, by a marker in the prompt.

| marker | the prediction |
|---|---|
| `[fail E001]`, `[fail E002]` | fails: the provider's own account or service |
| `[fail E003]`, `[fail E004]` | fails: too much demand, may work later |
| `[fail E005]` | fails: flagged as sensitive |
| `[fail empty]` | fails: no image in the model's answer |
| `[fail input]` | fails: the image's address is refused |
| `[fail null]` | fails without an error text |
| `[cancel]`, `[abort]` | ends canceled, aborted |
| `[hang starting]`, `[hang processing]` | stays so until canceled or its `Cancel-After` is over |
"""

import re

from sandbox.replicate.knobs import Outcome

TEXTS: dict[str, str | None] = {
    "E001": "Prediction failed: the provider's account is not usable (E001)",
    "E002": "Prediction failed: the provider refused the request (E002)",
    "E003": "Service is currently unavailable due to high demand. Please try again later. (E003)",
    "E004": "Service is temporarily unavailable. Please try again later. (E004)",
    "E005": "The input or output was flagged as sensitive. "
    "Please try again with different inputs. (E005)",
    "empty": "No image content found in response",
    "input": "Input validation error: 403 Client Error: Forbidden for url: "
    "https://images.invalid/gone.jpg",
    "null": None,
}

MARKER = re.compile(r"\[(fail|hang) (\w+)\]|\[(cancel|abort)\]")


def outcome_in(prompt: str) -> Outcome | None:
    """Return what the first marker in the prompt asks for; an unknown one asks for nothing."""
    found = MARKER.search(prompt)
    if found is None:
        return None
    verb, word, end = found.groups()
    if end:
        return Outcome({"cancel": "canceled", "abort": "aborted"}[end])
    if verb == "fail" and word in TEXTS:
        return Outcome("failed", TEXTS[word])
    return Outcome(word) if verb == "hang" and word in {"starting", "processing"} else None
