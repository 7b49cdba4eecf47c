"""The operator's command line: `flask --app wsgi db|instances|credits|jobs|queue|retention|…`."""

from flask import Flask

from api.commands import erasing, exporting
from api.commands.audit import audit
from api.commands.credits import credits
from api.commands.instances import instances
from api.commands.jobs import jobs
from api.commands.queue import queue
from api.commands.reconcile import reconcile
from api.commands.retention import retention
from models import migrations

# Two are imported for what they add to `instances`.
__all__ = ["erasing", "exporting", "register"]


def register(app: Flask) -> None:
    """Add the commands to an app that has the database bound to it, the migrations' too."""
    migrations.attach(app)
    for command in (instances, credits, jobs, queue, audit, retention, reconcile):
        app.cli.add_command(command)
