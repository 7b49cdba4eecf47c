"""Alerts and dashboard speak of measures that exist, and of chapters that can be read."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tasks.provider_errors import OUTCOMES
from tests.api.conftest import serving
from tests.compose import ROOT
from tests.databases import settings_for

DOCS = ROOT / "docs"
RULES = YAML(typ="safe").load((DOCS / "prometheus" / "alerts.yml").read_text())["groups"][0][
    "rules"
]
DASHBOARD = json.loads((DOCS / "grafana" / "darkroom.json").read_text())
PANELS = DASHBOARD["panels"]
TARGETS = [target for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = [each["expr"] for each in [*RULES, *TARGETS]]


@pytest.fixture
def measured(sqlite_database: str, redis_url: str) -> dict[str, set[str]]:
    """The names that /metrics shows, each with its labels."""
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
    assert asked <= set(OUTCOMES)


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


def test_the_dashboard_works_with_any_data_source() -> None:
    sources = {each["datasource"]["uid"] for each in [*PANELS, *TARGETS]}
    variables = {each["name"]: each["type"] for each in DASHBOARD["templating"]["list"]}
    asked = {name for each in TARGETS for name in re.findall(r"\$(\w+)", each["expr"])}

    assert sources == {"${datasource}"}
    assert variables["datasource"] == "datasource"
    assert asked - set(variables) == {"__rate_interval"}


def test_grafana_11_and_later_can_import_the_dashboard() -> None:
    # Grafana lifts older schemas to its own and refuses nothing; 11.0's is 39. An id would belong
    # to a dashboard that the importing Grafana may have already.
    assert DASHBOARD["id"] is None
    assert 30 <= DASHBOARD["schemaVersion"] <= 39
    assert len({panel["id"] for panel in PANELS}) == len(PANELS) >= 10
    assert all(len({each["refId"] for each in p["targets"]}) == len(p["targets"]) for p in PANELS)


def test_no_panel_covers_another_and_none_sticks_out() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
    assert len(cells) == 24 * (max(y for _, y in cells) + 1), "there is a gap"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_panel_has_a_unit_and_says_what_is_normal_and_where_to_read_on(
    panel: dict[str, Any],
) -> None:
    chapters = re.findall(r"operations\.md, ([A-Z][\w ]+)", panel["description"])
    titles = re.findall(r"^## (.+)$", (DOCS / "operations.md").read_text(), re.MULTILINE)

    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"].startswith("Normal: ")
    assert [each for each in chapters if each not in titles] == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_colour_is_for_a_series_that_can_be_there(panel: dict[str, Any]) -> None:
    named = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]}
    legends = {each["legendFormat"] for each in panel["targets"]}

    assert named <= legends | (set(OUTCOMES) if "{{outcome}}" in legends else set())


def test_every_label_that_a_panel_groups_by_exists(measured: dict[str, set[str]]) -> None:
    grouped = [
        (name, label)
        for each in EXPRESSIONS
        for labels in re.findall(r"by \(([^)]*)\)", each)
        for label in labels.split(", ")
        for name in re.findall(r"darkroom_\w+", each)
    ]

    assert grouped
    assert [each for each in grouped if each[1] not in measured[each[0]]] == []


def test_the_dashboard_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS / "grafana")
    answers, draw = import_module("answers"), import_module("draw")
    asked: list[str] = []

    def prometheus(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["query"])
        series = {"metric": {"outcome": "a<b"}, "values": [[60, "1"], [75, "NaN"], [90, "4"]]}
        return httpx.Response(200, json={"data": {"result": [series]}})

    with httpx.Client(base_url="http://p", transport=httpx.MockTransport(prometheus)) as http:
        html = draw.page(DASHBOARD, answers.Source(http, 0, 600, 15))

    assert [each for each in PANELS if f"<h2>{each['title']}</h2>" not in html] == []
    assert len(asked) == len(TARGETS)
    assert [each for each in asked if "$" in each] == []
    assert "a&lt;b" in html
