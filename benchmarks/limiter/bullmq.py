"""BullMQ's workers, which need Node: installed once into `var/`, with the versions written down."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from benchmarks.limiter.cases import SKEW, Case
from tests.tether import tethered

HERE = Path(__file__).parent / "node"
FOLDER = Path(__file__).parents[2] / "var" / "benchmarks" / "bullmq"
INSTALL = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]


class NotHere(Exception):
    """BullMQ cannot be measured on this machine; the message says what is missing."""


def install() -> None:
    """Have BullMQ in its folder; raises `NotHere`."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotHere(f"BullMQ needs {program}: install Node.js 20 or newer")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in HERE.iterdir():
        shutil.copy(file, FOLDER)
    if _is_installed():
        return
    try:
        done = subprocess.run(
            INSTALL, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotHere("BullMQ could not be installed: npm did not end within 2 minutes") from error
    if done.returncode:
        why = (done.stderr.strip() or "npm gave no reason").splitlines()[-1]
        raise NotHere(f"BullMQ could not be installed: {why}")


def _is_installed() -> bool:
    wanted: dict[str, str] = json.loads((HERE / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        installed = FOLDER / "node_modules" / name / "package.json"
        if not installed.exists() or json.loads(installed.read_text())["version"] != version:
            return False
    return True


def start(case: Case, url: str, port: int, folder: Path) -> list[subprocess.Popen[bytes]]:
    """Start the workers; the clocks of every second one are ahead in a skewed case."""
    node = shutil.which("node")
    assert node is not None
    jobs = 3 * case.limit.count * (case.rounds + 1) // case.processes + 1
    facts = {"url": url, "port": port, "jobs": jobs, "ahead": SKEW}
    limit = {"count": case.limit.count, "window": case.limit.window}
    work = [str(FOLDER / "worker.cjs"), json.dumps(facts | limit)]
    shifted = ["--require", str(FOLDER / "clock_off.cjs")]
    commands = [
        [node, *(shifted if case.skewed and number % 2 else []), *work]
        for number in range(case.processes)
    ]
    user, group = os.geteuid(), os.getegid()
    return [
        tethered(command, folder / f"{number}.log", user, group, signal.SIGKILL)
        for number, command in enumerate(commands)
    ]
