"""Find a Chromium for the tests of the pages, or install one: `python -m tests.browser.chromium`.

Page tests are never skipped: without a browser `make test` fails, and says here what to do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
HELP = (
    "Install the package chromium (as root: apt-get install chromium) or name a browser that you"
    " have: CHROMIUM=/path/to/chromium make test"
)


class NoChromium(Exception):
    """There is none and none could be installed; the message says what to do."""


@dataclass(frozen=True)
class Machine:
    """All that is asked of the machine.

    `run` returns a command's exit code and last words, `playwrights_own` the path where Playwright
    keeps its browser, whether there is one or not.
    """

    environment: Mapping[str, str]
    is_root: bool
    which: Callable[[str], str | None]
    run: Callable[[Sequence[str]], tuple[int, str]]
    playwrights_own: Callable[[], str]


def find(machine: Machine) -> str | None:
    """Return the path of a Chromium that starts, or None.

    Raises `NoChromium` where CHROMIUM names something that does not start.
    """
    if named := machine.environment.get("CHROMIUM"):
        if _starts(machine, named):
            return named
        raise NoChromium(f"CHROMIUM={named} does not start. Name another one, or unset it.")
    return next((path for path in _candidates(machine) if _starts(machine, path)), None)


def find_or_install(machine: Machine, say: Callable[[str], None]) -> str:
    """Return the path of a Chromium that starts; `say` is told before something is installed.

    Raises `NoChromium`.
    """
    if found := find(machine):
        return found
    failures = []
    for name, commands in _ways(machine):
        say(f"Installing Chromium for the tests of the pages with {name}; this happens once …")
        failures.append(f"{name}: {_run_all(machine, commands) or 'what it installed is broken'}")
        if found := find(machine):
            return found
    raise NoChromium(f"No Chromium ({'; '.join(failures)}). {HELP}")


def _candidates(machine: Machine) -> Iterator[str]:
    yield from (path for name in NAMES if (path := machine.which(name)))
    # The driver that knows it takes half a second to start, so it is asked last.
    yield machine.playwrights_own()


def _starts(machine: Machine, path: str) -> bool:
    """Ubuntu's chromium-browser may only say that it wants a snap; libraries may be missing."""
    return machine.which(path) is not None and machine.run([path, "--version"])[0] == 0


def _ways(machine: Machine) -> Iterator[tuple[str, list[list[str]]]]:
    own = [sys.executable, "-m", "playwright", "install"]
    apt = machine.is_root and machine.which("apt-get") is not None
    if apt:
        install = [*APT, "install", "-y", "--no-install-recommends", "chromium"]
        yield "apt-get", [[*APT, "update"], install]
    yield "playwright", [[*own, *(["--with-deps"] if apt else []), "chromium"]]


def _run_all(machine: Machine, commands: list[list[str]]) -> str:
    """Return why it went wrong, nothing when it did not."""
    for command in commands:
        code, last_words = machine.run(command)
        if code != 0:
            return last_words or f"it ended with {code}"
    return ""


def _run(command: Sequence[str]) -> tuple[int, str]:
    # Captured, because `make check` writes at the same time.
    ended = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    return ended.returncode, lines[-1].strip() if lines else ""


def _playwrights_own() -> str:
    # Imported late: where a browser is found otherwise, Playwright is not needed for it.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def this_machine() -> Machine:
    """The machine that the tests run on."""
    return Machine(os.environ, os.geteuid() == 0, shutil.which, _run, _playwrights_own)


def main() -> None:
    """Print the path; end with 1 and an explanation where there is none."""
    try:
        found = find_or_install(this_machine(), lambda line: print(line, flush=True))
    except NoChromium as error:
        sys.exit(str(error))
    print(f"Chromium: {found}")


if __name__ == "__main__":
    main()
