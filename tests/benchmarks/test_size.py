"""How processes are weighed, what is hidden from them, and what their imports cost."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.size.first_result import FirstResult
from benchmarks.size.image import environment, not_in_image
from benchmarks.size.measuring import Measured
from benchmarks.size.memory import MB, Memory, family, memory
from benchmarks.size.report import findings, targets
from benchmarks.size.starting import Imports, read_report
from benchmarks.size.weighing import Weighed
from tests.compose import ROOT

REPORT = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   celery.app
{"event": "a line of the log"}
import time:        50 |        150 | celery
import time:      2000 |       2000 | redis.client
import time:        10 |         10 | celery
"""


def small(peak: float = 90.0) -> Memory:
    return Memory(rss=80.0, pss=70.0, uss=60.0, peak=peak)


def measure(worker: Memory, api: Memory) -> Measured:
    """Figures of which only the memory matters."""
    return Measured(
        workers=[Weighed("worker", "started", small()), Weighed("worker", "full", worker),
                 Weighed("housekeeper", "full", small())],
        api=[Weighed("api, master", "started", small()), Weighed("api, process", "then", api)],
        starts={"api": [1.0, 3.0, 2.0]},
        imports={"api": Imports(3, {"flask": 0.2, "redis": 0.3})},
        first_results=(FirstResult(20.0, 30.0, 31.0, 35.0), FirstResult(1.0, 9.0, 10.0, 14.0)),
    )  # fmt: skip


def test_the_report_of_imports_is_summed_by_package() -> None:
    found = read_report(REPORT)

    assert found.seconds == {"celery": pytest.approx(0.00016), "redis": pytest.approx(0.002)}
    assert found.modules == 3


def test_what_only_tests_need_is_not_in_the_image() -> None:
    hidden = not_in_image((ROOT / "requirements.txt").read_text())

    assert {"pytest", "numpy", "matplotlib"} <= set(hidden)
    assert not {"flask", "PIL", "celery", "psycopg_binary"} & set(hidden)


def test_a_container_cannot_import_it(tmp_path: Path) -> None:
    code = "import flask\ntry: import numpy\nexcept ImportError: print('hidden')"

    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "hidden\n"


def test_a_process_is_weighed_in_megabytes_and_its_peak_is_remembered() -> None:
    code = "import sys; b = bytearray(50_000_000); del b; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()

        found = memory(child.pid)
        assert family(child.pid) == [child.pid]
        child.communicate(b"")

    assert found.uss <= found.pss <= found.rss < 50 < found.peak < 150
    assert MB == 1_000_000


def test_the_peak_of_the_heaviest_moment_counts() -> None:
    assert [each.kept for each in targets(measure(small(119.0), small(119.0)))] == [True, True]
    assert [each.kept for each in targets(measure(small(121.0), small(121.0)))] == [False, False]


def test_the_findings_show_every_process() -> None:
    found = findings(measure(small(), small()))

    assert [len(rows) for rows in (found.tables[0].rows, found.tables[1].rows)] == [5, 1]
    assert found.tables[1].rows[0][:2] == ["api", 2.0]
    assert not found.skipped
