"""Which Chromium is taken, what is run where there is none, and what is said about it."""

from collections.abc import Mapping, Sequence

import pytest

from tests.browser.chromium import Machine, NoChromium, find, find_or_install

OWN = "/home/alice/playwright/chrome"


class Drawer:
    """A machine with these programs; `installing` maps a command's word to what it brings."""

    def __init__(
        self,
        *programs: str,
        broken: Sequence[str] = (),
        installing: Mapping[str, str] | None = None,
    ) -> None:
        self.programs = set(programs)
        self.broken = broken
        self.installing = installing or {}
        self.commands: list[str] = []
        self.said: list[str] = []

    def which(self, name: str) -> str | None:
        paths = (path for path in self.programs if name in {path, path.rpartition("/")[2]})
        return next(paths, None)

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        if command[-1] == "--version":
            return (1, "needs a snap") if command[0] in self.broken else (0, "Chromium 156")
        line = " ".join(command)
        self.commands.append(line[line.index("apt-get" if "apt-get" in line else "playwright") :])
        brought = [path for word, path in self.installing.items() if word in line]
        self.programs.update(brought)
        return (0, "") if brought else (100, "E: no network")

    def machine(self, *, is_root: bool = True, **environment: str) -> Machine:
        return Machine(environment, is_root, self.which, self.run, lambda: OWN)


def look(drawer: Drawer, *, is_root: bool = True) -> str:
    return find_or_install(drawer.machine(is_root=is_root), drawer.said.append)


def test_the_one_that_is_named_comes_first() -> None:
    drawer = Drawer("/usr/bin/chromium", "/opt/mine")

    assert find(drawer.machine(CHROMIUM="/opt/mine")) == "/opt/mine"


@pytest.mark.parametrize("broken", [(), ("/opt/mine",)], ids=["missing", "broken"])
def test_one_that_is_named_and_does_not_start_is_an_error(broken: Sequence[str]) -> None:
    drawer = Drawer("/usr/bin/chromium", *broken, broken=broken)

    with pytest.raises(NoChromium, match="CHROMIUM=/opt/mine does not start"):
        find(drawer.machine(CHROMIUM="/opt/mine"))


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        (["google-chrome-stable", "google-chrome", "chromium-browser", "chromium"], "chromium"),
        (["google-chrome-stable", "google-chrome", "chromium-browser"], "chromium-browser"),
        (["google-chrome-stable", "google-chrome"], "google-chrome"),
        (["google-chrome-stable"], "google-chrome-stable"),
    ],
)
def test_those_on_the_path_are_tried_in_order(programs: list[str], found: str) -> None:
    drawer = Drawer(OWN, *[f"/usr/bin/{name}" for name in programs])

    assert look(drawer) == f"/usr/bin/{found}"
    assert drawer.said == []


def test_one_that_does_not_start_is_passed_over() -> None:
    drawer = Drawer("/usr/bin/chromium-browser", OWN, broken=["/usr/bin/chromium-browser"])

    assert look(drawer) == OWN


def test_root_on_debian_installs_the_package() -> None:
    drawer = Drawer("/usr/bin/apt-get", installing={"update": "/x", "apt-get install": "/chromium"})

    assert look(drawer) == "/chromium"
    assert drawer.commands == [
        "apt-get update",
        "apt-get install -y --no-install-recommends chromium",
    ]
    assert drawer.said == [
        "Installing Chromium for the tests of the pages with apt-get; this happens once …"
    ]


def test_where_the_package_cannot_be_had_playwright_brings_its_own_with_its_libraries() -> None:
    drawer = Drawer("/usr/bin/apt-get", installing={"playwright": OWN})

    assert look(drawer) == OWN
    assert drawer.commands == ["apt-get update", "playwright install --with-deps chromium"]


@pytest.mark.parametrize(
    ("programs", "is_root"), [(["/usr/bin/apt-get"], False), ([], True)], ids=["user", "no apt"]
)
def test_everybody_else_gets_playwrights_own(programs: list[str], is_root: bool) -> None:
    drawer = Drawer(*programs, installing={"playwright": OWN})

    assert look(drawer, is_root=is_root) == OWN
    assert drawer.commands == ["playwright install chromium"]


def test_without_any_way_it_says_what_was_tried_and_what_to_do() -> None:
    drawer = Drawer("/usr/bin/apt-get")

    with pytest.raises(NoChromium) as refused:
        look(drawer)

    assert "apt-get: E: no network; playwright: E: no network" in str(refused.value)
    assert "CHROMIUM=/path/to/chromium make test" in str(refused.value)


def test_one_that_was_installed_and_does_not_start_is_said_to_be_broken() -> None:
    drawer = Drawer(installing={"playwright": OWN}, broken=[OWN])

    with pytest.raises(NoChromium, match="playwright: what it installed is broken"):
        look(drawer, is_root=False)
