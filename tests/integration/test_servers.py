"""The servers that other tests stand on keep what they promise."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.postgres import Postgres
from tests.valkey import Valkey

START_BOTH = """
import time
from tests.postgres import Postgres
from tests.valkey import Valkey
valkey, postgres = Valkey().start(), Postgres().start()
print(valkey.process.pid, postgres.process.pid, valkey.folder, postgres.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    server = Valkey(appendonly=True).start()
    yield server
    server.close()


def test_valkey_keeps_its_data_and_changes_its_run_id(own_valkey: Valkey) -> None:
    with redis.Redis.from_url(own_valkey.url, socket_timeout=5) as client:
        client.set("colour", "red")
        before = client.info("server")["run_id"]

        own_valkey.restart()

        assert client.get("colour") == b"red"
        assert client.info("server")["run_id"] != before


def test_valkey_comes_back_empty_when_asked(own_valkey: Valkey) -> None:
    with redis.Redis.from_url(own_valkey.url, socket_timeout=5) as client:
        client.set("colour", "red")

        own_valkey.kill()
        own_valkey.start(empty=True)

        assert client.get("colour") is None


def test_each_postgres_database_is_fresh(postgres_server: Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE colours (name text)")
    copy = postgres_server.create_database(template=postgres_url)
    fresh = postgres_server.create_database()

    copied, made = _tables(copy), _tables(fresh)

    assert (copied, made) == (["colours"], [])


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.close()


def test_postgres_keeps_what_was_committed_when_it_is_killed(own_postgres: Postgres) -> None:
    url = own_postgres.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE colours (name text)")

    own_postgres.kill()
    own_postgres.start()

    assert _tables(url) == ["colours"]


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_servers_die_with_a_test_process_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", START_BOTH], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        *pids, valkey_folder, postgres_folder = process.stdout.readline().split()
        process.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 10
    while (left := [pid for pid in pids if _lives(int(pid))]) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not left
    for folder in (valkey_folder, postgres_folder):
        subprocess.run(["rm", "-r", "--", folder], check=True)


def _tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [name for (name,) in rows]


def _lives(pid: int) -> bool:
    """A zombie, which nobody has reaped yet, is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
