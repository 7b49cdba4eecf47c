"""Alerts and dashboard speak of measures that exist, and of chapters that can be read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tasks import provider_errors
from tasks.measure import CallCounter
from tests.api.conftest import serving
from tests.compose import ROOT
from tests.databases import settings_for

DOCS = ROOT / "docs"
RULES = YAML(typ="safe").load((DOCS / "prometheus" / "alerts.yml").read_text())["groups"][0][
    "rules"
]
DASHBOARD = json.loads((DOCS / "grafana" / "darkroom.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
OUTCOMES = {"ok"} | {
    getattr(kind, "outcome", "")
    for kind in vars(provider_errors).values()
    if isinstance(kind, type) and issubclass(kind, provider_errors.ProviderError)
}


@pytest.fixture
def measured(sqlite_database: str, redis_url: str) -> dict[str, set[str]]:
    """The names that /metrics shows, each with its labels."""
    with redis.Redis.from_url(redis_url) as client:
        CallCounter(client)("create_prediction", "ok", 0.1)
    with serving(settings_for(sqlite_database, redis_url=redis_url)) as app:
        text = app.test_client().get("/metrics").text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return {sample.name: set(sample.labels) for sample in samples}


def headings(file: Path) -> set[str]:
    """The addresses that GitHub gives to a file's headings."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_measure_of_an_alert_or_a_panel_is_shown(measured: dict[str, set[str]]) -> None:
    named = {name for each in EXPRESSIONS for name in re.findall(r"darkroom_\w+", each)}

    assert named <= set(measured)
    assert len(named) > 10


def test_every_label_that_is_asked_for_exists(measured: dict[str, set[str]]) -> None:
    asked = [
        (name, label)
        for each in EXPRESSIONS
        for name, labels in re.findall(r"(darkroom_\w+)\{([^}]*)\}", each)
        for label in re.findall(r"(\w+)=", labels)
    ]

    assert asked
    assert [each for each in asked if each[1] not in measured[each[0]]] == []


def test_every_outcome_that_is_asked_for_is_one() -> None:
    asked = {
        outcome
        for each in EXPRESSIONS
        for outcomes in re.findall(r'outcome=~?"([^"]*)"', each)
        for outcome in outcomes.split("|")
    }

    assert asked
    assert asked <= OUTCOMES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    file, _, chapter = rule["annotations"]["runbook"].partition("#")

    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    assert chapter in headings(ROOT / file)
    assert rule["alert"] in (ROOT / file).read_text()


def test_every_link_of_the_handbook_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (DOCS / "operations.md").read_text())

    for link in links:
        file, _, chapter = link.partition("#")
        target = DOCS / file if file else DOCS / "operations.md"
        assert target.is_file(), link
        assert not chapter or chapter in headings(target), link


def test_the_dashboard_works_with_any_data_source_and_shows_its_panels_apart() -> None:
    panels = DASHBOARD["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}

    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels) >= 10
