"""What is measured is shown as it was found: rounds, results, the page and its plots."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.page import PAGE, page
from benchmarks.plots import IMAGES, draw
from benchmarks.rounds import interleaved, medians, percentile
from benchmarks.section import Findings, Plot, Result, Table, Target, stored

FOUND = Findings(
    title="The limiter, and others",
    text="Four processes ask for slots.",
    targets=[Target("at most 50", "49", kept=True), Target("99.5 %", "93.7 %", kept=False)],
    tables=[Table("By limiter", ["limiter", "rate"], [["ours", 0.99812], ["theirs", 12345.6]])],
    plots=[Plot("worst", "Worst window", "bars", "limiter", "slots", {"in 3 s": [("ours", 50)]})],
    skipped=["BullMQ: install Node 18 or later."],
)
RESULT = Result("limiter", "2 cores", "2026-11-23", 12.3, FOUND)


def test_every_round_begins_with_another_way() -> None:
    calls: list[str] = []
    steps: list[str] = []

    def way(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    figures = interleaved({"a": lambda: way("a"), "b": lambda: way("b")}, 3, steps.append)

    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert figures == {"a": [1.0, 4.0, 5.0], "b": [2.0, 3.0, 6.0]}
    assert medians(figures) == {"a": 4.0, "b": 3.0}
    assert len(steps) == 6


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.95) == 96.0
    assert percentile([7.0], 0.99) == 7.0


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert stored("limiter", tmp_path) is None
    RESULT.write(tmp_path)
    again = stored("limiter", tmp_path)

    assert again is not None
    assert page([again]) == page([RESULT])
    assert replace(again, findings=FOUND) == RESULT


def test_the_page_says_what_was_wanted_what_was_found_and_what_was_not() -> None:
    text = page([RESULT])

    link = "[The limiter, and others](#the-limiter-and-others)"
    assert f"| {link} | at most 50 | 49 | ✓ |" in text
    assert "| 99.5 % | 93.7 % | ✗ falls short |" in text
    assert "> Not measured: BullMQ: install Node 18 or later." in text
    assert "| ours | 0.998 |\n| theirs | 12,346 |" in text
    assert "![Worst window](images/benchmarks/worst.svg)" in text
    assert "2026-11-23, 12 s, on 2 cores" in text


@pytest.mark.parametrize("kind", ["bars", "lines"])
def test_the_same_findings_make_the_same_plot(kind: str, tmp_path: Path) -> None:
    series = {"ours": [(1, 2.0), (10, 3.0)], "bare": [(1, 1.0), (10, 9.0)]}
    plot = Plot("cost", "Cost by size", kind, "items", "ms", series, log="y")

    first = draw(plot, tmp_path).read_text()

    assert "Cost by size" in first
    assert "ours" in first
    assert draw(plot, tmp_path).read_text() == first


def test_a_benchmark_that_does_not_exist_is_named() -> None:
    with pytest.raises(SystemExit, match="there is no benchmark limitr: there are limiter"):
        main(["limitr"])


def test_the_page_shows_what_the_results_hold_and_nothing_else() -> None:
    results = [result for name in NAMES if (result := stored(name))]

    assert [result.name for result in results] == list(NAMES)
    assert PAGE.read_text() == page(results)
    for result in results:
        for plot in result.findings.plots:
            assert (IMAGES / f"{plot.name}.svg").exists(), plot.name
