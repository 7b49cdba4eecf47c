"""The folder that remembers everything between two runs: data, logs, ports and secrets."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import Any

from sandbox.ports import free_port, is_free
from sandbox.trouble import Trouble

ROOT = Path(__file__).resolve().parent.parent


class Folder:
    """`var/` beside the code, or where `SANDBOX_VAR` says. Made readable for its owner alone."""

    def __init__(self) -> None:
        self.path = Path(os.environ.get("SANDBOX_VAR") or ROOT / "var").absolute()
        for part in ("log", "results", "valkey"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    def take(self) -> None:
        """Keep a second `make run` out of this folder for as long as this process lives."""
        self._lock = (self.path / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Trouble(f"{self.path} is in use: stop the other `make run` first.") from error

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'darkroom.db'}"

    @property
    def storage_url(self) -> str:
        return (self.path / "results").as_uri()

    def log(self, name: str) -> Path:
        """Where a process writes both its outputs."""
        return self.path / "log" / f"{name}.log"

    def ports(self, names: list[str]) -> dict[str, int]:
        """The same ports as last time where they are still free, else others.

        Addresses of pictures in the database hold the stand-in's port, and messages wait in the
        broker: so the next run should find both where they were.
        """
        known: dict[str, int] = self._read("ports.json")
        ports: dict[str, int] = {}
        for name in names:
            port = known.get(name, 0)
            ports[name] = port if port and is_free(port) else free_port(set(ports.values()))
        self.write("ports.json", json.dumps(known | ports))
        return ports

    def secret(self, name: str, new: str | None = None) -> str:
        """A secret that is made once and kept; `new` replaces it."""
        known = self._secrets()
        if new or name not in known:
            known[name] = new or secrets.token_urlsafe(24)
            self.write("secrets.json", json.dumps(known))
        return known[name]

    def has_secret(self, name: str) -> bool:
        """Whether there is one."""
        return name in self._secrets()

    def write(self, name: str, text: str) -> Path:
        """Write a file whole or not at all, for its owner's eyes only."""
        draft, final = self.path / f".{name}.new", self.path / name
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        return draft.replace(final)

    def _secrets(self) -> dict[str, str]:
        return self._read("secrets.json")

    def _read(self, name: str) -> dict[str, Any]:
        file = self.path / name
        return dict(json.loads(file.read_text())) if file.exists() else {}
