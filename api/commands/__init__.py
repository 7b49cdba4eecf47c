"""The operator's command line: `flask --app wsgi instances|credits|jobs|queue …`."""

from flask import Flask

from api.commands.credits import credits
from api.commands.instances import instances
from api.commands.jobs import jobs


def register(app: Flask) -> None:
    """Add the commands to an app that has the database bound to it."""
    for group in (instances, credits, jobs):
        app.cli.add_command(group)
