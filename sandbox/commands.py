"""The service's own command line: migrations and the demo instance."""

import subprocess
import sys

from sandbox.folder import ROOT, Folder
from sandbox.trouble import Trouble

INSTANCE = "demo"
PATIENCE = 120


class CommandLine:
    """`flask --app wsgi …` with the sandbox's settings."""

    def __init__(self, folder: Folder, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment

    def migrate(self) -> None:
        """Bring the database to the newest revision."""
        self._run("db", "upgrade")

    def demo_token(self) -> str:
        """The token of the demo instance, which is made by the first run.

        A token that is not known here, because its file was removed or a run was killed in
        between, is replaced by a new one: nobody can read the old one again.
        """
        if self._folder.has_secret("token") and self._has_instance():
            return self._folder.secret("token")
        made = self._attempt("instances", "create", INSTANCE, "--plan", "enterprise")
        if made.returncode != 0:
            made = self._run("instances", "rotate-token", INSTANCE)
        return self._folder.secret("token", new=made.stdout.strip())

    def _has_instance(self) -> bool:
        rows = self._run("instances", "list").stdout.splitlines()
        return any(row.split("\t")[1] == INSTANCE for row in rows)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what it complains of is in the log and in the `Trouble`."""
        done = self._attempt(*words)
        if done.returncode != 0:
            end = "\n".join((done.stderr or done.stdout).splitlines()[-15:])
            raise Trouble(f"flask --app wsgi {' '.join(words)} failed:\n{end}")
        return done

    def _attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words], cwd=ROOT, check=False,
            env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, start_new_session=True,
        )  # fmt: skip
        self._folder.log("-".join(words[:2])).write_text(done.stderr)
        return done
