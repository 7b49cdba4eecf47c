"""`python -m tasks worker|beat …`: the same as `celery -A tasks worker|beat …`, but leaner.

Celery's own command imports every command that there is before it runs one: Flower with its web
server, and a shell. That is 14 MB and a quarter of a second for each process.
"""

import click
from celery.bin.base import CLIContext
from celery.bin.beat import beat
from celery.bin.worker import worker

from tasks.celery import app


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Run a worker, a housekeeper or the scheduler."""
    context.obj = CLIContext(app=app, no_color=True, workdir=None)
    if context.invoked_subcommand == beat.name:
        # It sends tasks by their names, and never needs what does them.
        app.conf.imports = ()


main.add_command(worker)
main.add_command(beat)

if __name__ == "__main__":
    main(prog_name="python -m tasks")
