"""The operator's command line: `flask --app wsgi instances|credits|jobs|queue …`."""

from flask import Flask

from api.commands.credits import credits
from api.commands.instances import instances
from api.commands.jobs import jobs
from api.commands.queue import queue


def register(app: Flask) -> None:
    """Add the commands to an app that has the database bound to it."""
    for group in (instances, credits, jobs, queue):
        app.cli.add_command(group)
