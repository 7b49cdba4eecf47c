"""The tables, plots and promises of the sizes."""

from collections.abc import Sequence

from benchmarks.rounds import medians
from benchmarks.section import Cell, Findings, Plot, Table, Target
from benchmarks.size.first_result import FirstResult
from benchmarks.size.holding import IMAGES
from benchmarks.size.measuring import Measured
from benchmarks.size.starting import Imports
from benchmarks.size.weighing import Weighed

# Megabytes of 1,000,000 bytes, the smaller ones.
BOUND = 120.0
MOST_PACKAGES = 8
TEXT = f"""
The processes are started as `docker-compose.yml` starts them, with the libraries of
`requirements.txt` alone: what only tests and benchmarks need is hidden from them. RSS counts all
that is resident, shared libraries too; PSS divides what is shared among those who share it; USS is
what would be free without the process; the peak is the largest RSS that the kernel saw. The
{IMAGES} images in flight are real photographs, once with compose's ten threads, which are done with
a create as soon as it is answered, and once with a thread for each image, so that {IMAGES} creates
wait for their answers at the same time and {IMAGES} results are collected at once.
"""


def findings(measured: Measured) -> Findings:
    """Return what was found."""
    first = measured.first_results
    return Findings(
        title="Size",
        text=TEXT,
        targets=targets(measured),
        tables=[
            _memory(measured),
            _starts(measured),
            *(_imports(name, each) for name, each in measured.imports.items()),
            *([_first(*first)] if first else []),
        ],
        plots=_plots(measured),
        skipped=[] if first else ["`make run` in a fresh clone: that takes a full run."],
    )


def targets(measured: Measured) -> list[Target]:
    """The promises, each against the peak."""
    worker = _peak(measured.workers, "worker")
    housekeeper = _peak(measured.workers, "housekeeper")
    api = _peak(measured.api, "api, process")
    return [
        Target(
            f"a worker container that holds {IMAGES} images stays under 120 MB",
            f"{worker:.0f} MB at the peak, its housekeeper {housekeeper:.0f} MB",
            max(worker, housekeeper) < BOUND,
        ),
        Target("an API process stays under 120 MB", f"{api:.0f} MB at the peak", api < BOUND),
    ]


def _peak(weighed: Sequence[Weighed], process: str) -> float:
    return max(each.memory.peak for each in weighed if each.process == process)


def _memory(measured: Measured) -> Table:
    rows: list[list[Cell]] = [
        [each.process, each.situation, *map(round, _figures(each))]
        for each in [*measured.workers, *measured.api]
    ]
    return Table("Memory in MB", ["process", "", "RSS", "PSS", "USS", "peak RSS"], rows)


def _figures(weighed: Weighed) -> tuple[float, ...]:
    found = weighed.memory
    return found.rss, found.pss, found.uss, found.peak


def _starts(measured: Measured) -> Table:
    rows: list[list[Cell]] = [
        [name, round(seconds, 2), *_imported(measured, name)]
        for name, seconds in medians(measured.starts).items()
    ]
    columns = ["process", "seconds until ready", "of that imports", "modules"]
    return Table("Starts", columns, rows, "A command is `flask --app wsgi instances list`.")


def _imported(measured: Measured, name: str) -> list[Cell]:
    found = measured.imports.get(name)
    return [round(found.total, 2), found.modules] if found else ["", ""]


def _imports(name: str, found: Imports) -> Table:
    dearest = sorted(found.seconds.items(), key=lambda each: -each[1])[:MOST_PACKAGES]
    rows: list[list[Cell]] = [[package, round(own * 1000)] for package, own in dearest]
    note = "As `-X importtime` tells it, which takes time itself."
    return Table(f"What {name} imports", ["package", "milliseconds"], rows, note)


def _first(fresh: FirstResult, again: FirstResult) -> Table:
    moments = {
        "virtual environment": (fresh.installed, again.installed),
        "the service is ready": (fresh.ready, again.ready),
        "the first photograph is optimized": (fresh.first, again.first),
        "all five are (the limit is 5 in 30 s, 1 s apart)": (fresh.all, again.all),
    }
    rows: list[list[Cell]] = [
        [name, *(round(seconds, 1) for seconds in both)] for name, both in moments.items()
    ]
    columns = ["seconds since `make run`", "in a fresh clone", "installed before"]
    return Table("The first result of make run", columns, rows)


def _plots(measured: Measured) -> list[Plot]:
    last = {each.process: each for each in [*measured.workers, *measured.api]}
    kinds = dict(enumerate(("RSS", "PSS", "USS", "peak RSS")))
    memory: dict[str, list[tuple[str, float]]] = {
        kind: [(process, round(_figures(each)[place])) for process, each in last.items()]
        for place, kind in kinds.items()
    }
    starts: dict[str, list[tuple[str, float]]] = {
        "": [(name, round(each, 2)) for name, each in medians(measured.starts).items()]
    }
    return [
        Plot("size", "Memory at the end", "bars", "", "MB", memory),
        Plot("size-starts", "Starts", "bars", "", "seconds until ready", starts),
    ]
