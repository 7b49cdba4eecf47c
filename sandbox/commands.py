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

        A token that was lost, because its file was removed or a run was killed in between, is
        replaced by a new one: nobody can read the old one again.
        """
        names = [line.split("\t")[1] for line in self._run("instances", "list").splitlines()]
        if INSTANCE not in names:
            made = self._run("instances", "create", INSTANCE, "--plan", "enterprise")
        elif self._folder.has_secret("token"):
            return self._folder.secret("token")
        else:
            made = self._run("instances", "rotate-token", INSTANCE)
        return self._folder.secret("token", new=made.strip())

    def _run(self, *words: str) -> str:
        """Return what a command prints; what it complains of is in the log and in the error."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words], cwd=ROOT, check=False,
            env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, start_new_session=True,
        )  # fmt: skip
        name = "-".join(words[:2])
        self._folder.log(name).write_text(done.stderr)
        if done.returncode != 0:
            end = "\n".join((done.stderr or done.stdout).splitlines()[-15:])
            raise Trouble(f"flask --app wsgi {' '.join(words)} failed:\n{end}")
        return done.stdout
