"""`make run` from nothing to five optimized photographs, its end, and the next one."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from sandbox.first_job import uploaded
from sandbox.shop import first_job, picture
from tests.make_run import MakeRun
from tests.service import wait_until
from tests.stand_in import StandIn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes in /proc")


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[MakeRun]:
    run = MakeRun(tmp_path / "var with a space").start()
    yield run
    run.close()


@pytest.mark.lengthy
@pytest.mark.timeout(500)
def test_five_photographs_come_out_and_the_next_run_goes_on(make_run: MakeRun) -> None:
    make_run.wait_for("Ctrl-C stops everything")
    demo, job = make_run.demo(), make_run.get("/api/image-optimization/jobs/1")

    assert job["job"]["status"] == "DONE"
    check_results(demo["API_URL"], job["items"])
    check_demo_env(make_run, demo)
    check_products(make_run, demo)
    os.kill(make_run.pids("beat")[0], signal.SIGKILL)
    make_run.wait_for("scheduler died and was started again")
    assert make_run.end(signal.SIGINT, signal.SIGINT) == 0
    assert make_run.pids() == []

    make_run.start().wait_for("Ctrl-C stops everything")
    assert make_run.demo() == demo
    assert [j["id"] for j in make_run.get("/api/image-optimization/jobs")["jobs"]] == [1]
    check_results(demo["API_URL"], make_run.get("/api/image-optimization/jobs/1")["items"])
    assert make_run.end(signal.SIGTERM) == 0
    assert make_run.pids() == []


def check_results(api: str, items: list[dict[str, str]]) -> None:
    """Five images that differ from each other and from what went in."""
    results = [fetch(api + item["optimizedImageUrl"]) for item in items]
    assert len(set(results)) == 5
    assert not set(results) & set(photographs())
    for result in results:
        with Image.open(io.BytesIO(result)) as opened:
            opened.load()


def check_demo_env(run: MakeRun, demo: dict[str, str]) -> None:
    """Exactly these names, for the owner's eyes only, and they open what they should."""
    assert list(demo) == [
        "API_URL", "API_TOKEN", "FLOWER_URL", "FLOWER_BASIC_AUTH", "REPLICATE_BASE_URL",
        "DATABASE_URL", "REDIS_URL",
    ]  # fmt: skip
    for name in ("demo.env", "secrets.json", "supervisord.conf", "valkey.conf"):
        assert (run.folder / name).stat().st_mode & 0o777 == 0o600
    user, password = demo["FLOWER_BASIC_AUTH"].split(":")
    flower = demo["FLOWER_URL"]
    assert httpx.get(flower, trust_env=False).status_code == 401
    shown = httpx.get(flower, auth=(user, password), trust_env=False, follow_redirects=True)
    assert shown.status_code == 200


def check_products(run: MakeRun, demo: dict[str, str]) -> None:
    """The link opens the pages with the token, and they have two pages of products to show."""
    assert f"Open {demo['API_URL']}/#token={demo['API_TOKEN']}" in map(squeezed, run.lines)
    page = run.get("/api/products")
    assert len(page["products"]) == 20
    assert page["nextCursor"]
    cup = run.get("/api/products/coffee-cup")
    assert cup["product"]["totalImages"] == len(cup["images"])
    assert {fetch(image["url"])[:2] for image in cup["images"]} == {b"\xff\xd8"}


def squeezed(line: str) -> str:
    return " ".join(line.split())


def photographs() -> list[bytes | None]:
    """What the first job's images are before."""
    paths = (image.path.removesuffix(".jpg").split("/") for image in first_job().images)
    return [picture(product, view) for _root, _shop, product, view in paths]


def fetch(url: str) -> bytes:
    return httpx.get(url, timeout=10, trust_env=False).raise_for_status().content


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path, stand_in: StandIn) -> None:
    run = MakeRun(tmp_path, PORT=str(stand_in.port)).start()

    assert run.process.wait(30) == 1
    said = run.said()
    assert said.startswith(f"Port {stand_in.port} is taken: try `make run PORT=")
    assert len(said.splitlines()) == 1
    run.close()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = MakeRun(tmp_path).start()
    first.wait_for("Starting Valkey")
    second = MakeRun(tmp_path).start()

    assert second.process.wait(30) == 1
    assert second.said() == f"{tmp_path} is in use: stop the other `make run` first."
    assert first.end(signal.SIGINT) == 0
    assert first.pids() == []
    first.close()


def test_a_run_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    run = MakeRun(tmp_path).start()
    run.wait_for("Migrating the database")

    run.end(signal.SIGKILL)

    wait_until(lambda: run.pids() == [], "no process is left")
    run.close()


def test_a_wrong_setting_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    run = MakeRun(tmp_path, POLL_INTERVAL="often").start()

    assert run.process.wait(60) == 1
    assert "POLL_INTERVAL: 'often' is not a duration" in run.said()
    assert run.pids() == []
    run.close()


def test_a_process_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "appendonlydir").write_text("a file where a folder should be")
    run = MakeRun(tmp_path).start()

    assert run.process.wait(60) == 1
    said = run.said()
    assert f"valkey does not start. The end of {tmp_path}/log/valkey.log:" in said
    assert "appendonlydir" in said
    run.close()


def test_with_a_token_the_photographs_are_uploaded(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_own")

    urls = uploaded(first_job().images, stand_in.url)

    assert [fetch(url) for url in urls] == photographs()


@pytest.mark.lengthy
@pytest.mark.timeout(300)
def test_with_a_token_the_stand_in_is_not_started(tmp_path: Path, stand_in: StandIn) -> None:
    settings = {"REPLICATE_API_TOKEN": "r8_own", "REPLICATE_BASE_URL": stand_in.url}
    run = MakeRun(tmp_path, **settings).start()

    run.wait_for("Ctrl-C stops everything")

    assert run.get("/api/image-optimization/jobs/1")["job"]["completedImages"] == 5
    assert run.pids("sandbox.replicate") == []
    assert run.demo()["REPLICATE_BASE_URL"] == stand_in.url
    assert run.end(signal.SIGINT) == 0
    run.close()
