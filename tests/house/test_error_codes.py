"""What a shop may be told is documented word for word."""

import pytest

from models.explanations import EXPLANATIONS
from tests.compose import ROOT


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_every_error_code_is_explained(code: str) -> None:
    page = (ROOT / "docs" / "error-codes.md").read_text()
    explanation = EXPLANATIONS[code]

    start = f"| `{code}` | {explanation.sentence} | {'yes' if explanation.retry else 'no'} |"

    assert start in page
