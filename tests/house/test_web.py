"""The pages keep to what the API takes, and to themselves."""

import re
from pathlib import Path

import pytest

from api.batch_schemas import MOST_JOBS
from api.schemas import MOST_IMAGES
from models.image_models import EVERY_RATIO, MOST_REFERENCES, OUTPUT_FORMATS
from tests.compose import ROOT

WEB = ROOT / "web"
MODULES = sorted((WEB / "js").glob("*.js"))
LIMITS = (WEB / "js" / "limits.js").read_text()


def constant(name: str) -> str:
    """What the pages' limits say of this name, up to the semicolon."""
    match = re.search(rf"export const {name} = (.*?);", LIMITS, re.DOTALL)
    assert match, name
    return match[1]


def test_the_pages_know_how_much_the_api_takes() -> None:
    assert constant("MOST_IMAGES") == str(MOST_IMAGES)
    assert constant("MOST_JOBS") == str(MOST_JOBS)
    assert constant("LONGEST_PROMPT") == "2000"
    assert constant("MOST_REFERENCES") == str(MOST_REFERENCES)


@pytest.mark.parametrize(
    ("name", "known"), [("ASPECT_RATIOS", EVERY_RATIO), ("OUTPUT_FORMATS", OUTPUT_FORMATS)]
)
def test_the_pages_offer_what_the_api_takes(name: str, known: tuple[str, ...]) -> None:
    offered = re.findall(r'\["([^"]+)", "[^"]+"\]', constant(name))

    assert tuple(offered) == known


@pytest.mark.parametrize("file", sorted(WEB.rglob("*.*")), ids=lambda file: file.name)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    text = file.read_text()

    foreign = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}

    assert foreign <= {"https://…", "https://shop.example/cup.jpg."}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_text_becomes_markup(module: Path) -> None:
    text = module.read_text()

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_every_module_and_style_sheet_is_used() -> None:
    texts = "".join(file.read_text() for file in WEB.rglob("*.*"))
    parts = [*MODULES, *(WEB / "css").glob("*.css")]

    assert [part.name for part in parts if part.name not in texts] == []
