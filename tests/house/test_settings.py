"""Every setting can be set wherever an operator would look for it."""

import re
from dataclasses import MISSING, fields

import pytest

from config.settings import Settings
from tests.compose import ROOT, SERVICES, services

NAMES = [field.name.upper() for field in fields(Settings)]


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_example_and_the_readme(name: str) -> None:
    example = (ROOT / ".env.example").read_text()
    readme = (ROOT / "README.md").read_text()

    assert re.search(rf"^# {name}=", example, re.MULTILINE)
    assert f"`{name}`" in readme


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_gets_every_setting(service: str) -> None:
    given = services()[service]["environment"]

    missing = [name for name in NAMES if name not in given and f"{name}_FILE" not in given]

    assert missing == []


def test_the_defaults_of_compose_are_those_of_the_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    required = {"DATABASE_URL": "sqlite:////x", "SECRET_KEY": "0123456789abcdef"}
    required |= {"REDIS_URL": "redis://x"} | {
        "REPLICATE_API_TOKEN": "r8_x",
        "METRICS_TOKEN": "token",
    }
    given = {n: v for n, v in services()["api"]["environment"].items() if v is not None}
    for name, value in (given | required).items():
        if not name.endswith("_FILE"):
            monkeypatch.setenv(name, str(value).lower() if value is False else str(value))

    settings = Settings.from_environment()

    for field in fields(Settings):
        if field.default is not MISSING and field.name != "metrics_token":
            assert getattr(settings, field.name) == field.default, field.name


def test_the_example_names_no_setting_that_is_none() -> None:
    example = (ROOT / ".env.example").read_text()

    named = set(re.findall(r"^# ([A-Z][A-Z_]*)=", example, re.MULTILINE))

    others = {n for n in named if not n.startswith("AWS_")} - set(NAMES)
    sentrys_own = {"SENTRY_ENVIRONMENT", "SENTRY_RELEASE"}
    own = {"PORT", "FLOWER_PORT", "FLOWER_URL_PREFIX", "WEB_CONCURRENCY"}
    assert others == own | sentrys_own
