"""The production shape keeps what the README promises of it."""

import shlex

from tasks.queues import queue_names
from tests.compose import ROOT, SERVICES, command, services


def consumed(words: list[str]) -> set[str]:
    """The queues that a worker's command consumes."""
    return set(words[words.index("-Q") + 1].split(",")) if "-Q" in words else set()


def test_every_queue_is_consumed_by_a_service() -> None:
    queues = set().union(*(consumed(command(service)) for service in SERVICES))

    assert queues == set(queue_names())


def test_every_queue_is_consumed_by_a_process_of_the_procfile() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()

    queues = set().union(*(consumed(shlex.split(line)) for line in lines))

    assert queues == set(queue_names())


def test_two_workers_on_one_host_have_names_of_their_own() -> None:
    names = [words[words.index("-n") + 1] for s in SERVICES if "-n" in (words := command(s))]

    assert len(names) == len(set(names)) == 2


def test_nothing_but_the_api_and_flower_is_published() -> None:
    published = {name for name, service in services().items() if service.get("ports")}

    assert published == {"api", "flower"}


def test_database_and_broker_are_on_the_inside_only() -> None:
    for name in ("postgres", "redis"):
        assert services()[name]["networks"] == ["inside"]


def test_the_broker_keeps_and_evicts_nothing() -> None:
    *_shell, line = services()["redis"]["command"]
    words = shlex.split(line)

    assert words[words.index("--appendonly") + 1] == "yes"
    assert words[words.index("--maxmemory-policy") + 1] == "noeviction"


def test_every_service_says_how_it_is_restarted_and_whether_it_is_well() -> None:
    for name, service in services().items():
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert name == "api" or service["healthcheck"], name  # the API's is the image's own


def test_no_secret_stands_in_the_environment() -> None:
    for name, service in services().items():
        for setting, value in service["environment"].items() if "environment" in service else ():
            secret = any(
                part in setting for part in ("TOKEN", "PASSWORD", "SECRET", "DATABASE", "REDIS")
            )
            assert not secret or value is None or value.startswith("/run/secrets/"), name
