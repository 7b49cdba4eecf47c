"""`make run`: everything on embedded parts, until Ctrl-C."""

import os
import shlex
import sys
import time
from typing import Any

from sandbox import signals
from sandbox.commands import CommandLine
from sandbox.first_job import KEY, first_order
from sandbox.folder import Folder
from sandbox.ports import api_port
from sandbox.processes import SERVICE, programs, write_config
from sandbox.readiness import wait_for_service, wait_for_valkey
from sandbox.screen import JobBar, Screen
from sandbox.service import FINAL, Service
from sandbox.settings import Addresses, addresses, environment, own_settings, write_settings
from sandbox.supervisor import Supervisor
from sandbox.trouble import Trouble

PORTS = ["valkey", "replicate", "flower", "supervisor"]
# The first job takes seconds; when Replicate is slow, whoever waits should get the addresses.
JOB_PATIENCE = 900.0


def main() -> int:
    """Run the sandbox; return the exit code: 0 when it was told to stop."""
    signals.listen()
    screen = Screen()
    try:
        run(screen)
    except signals.Stopped:
        return 0
    except Trouble as trouble:
        screen.say(str(trouble), "red")
    return 1


def run(screen: Screen) -> None:
    """Start everything, then watch over it until `Stopped` is raised."""
    folder = Folder()
    folder.take()
    port, ports = api_port(os.environ.get("PORT") or "8000"), folder.ports(PORTS)
    where = addresses(folder, port, ports)
    own = own_settings(folder, where)
    write_settings(folder, own)
    settings = environment(own)
    config = write_config(folder, ports["supervisor"], programs(folder, where))
    supervisor = Supervisor(folder, config, ports["supervisor"])
    try:
        supervisor.start(settings)
        token = prepare(screen, supervisor, where, CommandLine(folder, settings))
        write_demo_env(folder, where, token)
        start(screen, supervisor, where, token)
        watch_over(screen, supervisor)
    finally:
        signals.hush()
        screen.say("Stopping …")
        if not supervisor.stop():
            screen.say(f"Something had to be killed: see {folder.log('supervisord')}", "red")


def prepare(
    screen: Screen, supervisor: Supervisor, where: Addresses, command_line: CommandLine
) -> str:
    """Do what must be done before the service starts; return the demo instance's token."""
    with screen.doing("Starting Valkey"):
        wait_for_valkey(supervisor, where.redis)
    with screen.doing("Migrating the database"):
        command_line.migrate()
    with screen.doing("Looking for the demo instance"):
        return command_line.demo_token()


def start(screen: Screen, supervisor: Supervisor, where: Addresses, token: str) -> None:
    """Start the service, see a job through it, and say where everything is."""
    service = Service(where.api, token)
    with screen.doing("Starting API, worker, housekeeper, scheduler and Flower"):
        supervisor.start_group(SERVICE)
        wait_for_service(supervisor, service)
    job = service.newest_job() or service.submit(first_order(where), KEY)
    facts = follow(screen, supervisor, service, job)
    screen.table(summary(where, token))
    screen.table(results(service, facts))
    screen.say("Ctrl-C stops everything; the next `make run` goes on where it stopped.")


def follow(
    screen: Screen, supervisor: Supervisor, service: Service, job: dict[str, Any]
) -> dict[str, Any]:
    """Show the job's progress until it is final; return it with its items."""
    deadline = time.monotonic() + JOB_PATIENCE
    with screen.job(job["totalImages"]) as bar:
        facts = service.job(job["id"])
        while facts["job"]["status"] not in FINAL and time.monotonic() < deadline:
            show_progress(bar, facts["job"])
            report_restarts(screen, supervisor)
            time.sleep(0.5)
            facts = service.job(job["id"])
        show_progress(bar, facts["job"])
    return facts


def show_progress(bar: JobBar, job: dict[str, Any]) -> None:
    """One look at a job."""
    done, total = job["completedImages"], job["totalImages"]
    line = f"Job {job['id']} {job['status']}: {done} of {total} photographs are optimized"
    failed = job["failedImages"]
    bar.show(f"{line}, {failed} failed" if failed else line, done + failed)


def summary(where: Addresses, token: str) -> list[tuple[str, str]]:
    """What a person needs to go on."""
    return [
        ("Open", f"{where.api}/#token={token}"),
        ("API", where.api),
        ("Docs", f"{where.api}/docs"),
        ("Token", token),
        ("Flower", f"{where.flower} (login {where.flower_auth.replace(':', ', password ')})"),
        ("Replicate", f"{where.replicate}{' (a stand-in)' if where.stand_in else ''}"),
    ]


def results(service: Service, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Where each image's result is, or why there is none."""
    return [
        (item["imageId"], service.address(item["optimizedImageUrl"]))
        if item.get("optimizedImageUrl")
        else (item["imageId"], f"{item['status']} {item.get('error') or ''}".strip())
        for item in facts["items"]
    ]


def write_demo_env(folder: Folder, where: Addresses, token: str) -> None:
    """The same for programs: names and values as a shell reads them."""
    values = {
        "API_URL": where.api,
        "API_TOKEN": token,
        "FLOWER_URL": where.flower,
        "FLOWER_BASIC_AUTH": where.flower_auth,
        "REPLICATE_BASE_URL": where.replicate,
        "DATABASE_URL": where.database,
        "REDIS_URL": where.redis,
    }
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    folder.write("demo.env", "".join(lines))


def watch_over(screen: Screen, supervisor: Supervisor) -> None:
    """Say what supervisord restarts, for as long as nobody stops us."""
    while True:
        report_restarts(screen, supervisor)
        time.sleep(1)


def report_restarts(screen: Screen, supervisor: Supervisor) -> None:
    """A process that comes back is not silently forgiven."""
    for name in supervisor.check():
        screen.say(f"{name} died and was started again: see {supervisor.log(name)}", "yellow")


if __name__ == "__main__":
    sys.exit(main())
