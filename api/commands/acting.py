"""Who does what an operator does: the name that the audit keeps."""

import os
import pwd
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def acting(command: Command) -> Command:
    """Give a command that changes something the option `--actor`, as its argument `actor`."""
    option = click.option(
        "--actor",
        default=_user,
        callback=_checked,
        help="Your name for the audit; that of the user whose shell this is if unset.",
    )
    return option(command)


def _user() -> str:
    """The user of the process; in a container it may have a number alone."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _checked(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not (name.strip() and name.isprintable() and len(name) <= 255):
        raise click.BadParameter("1 to 255 printable characters.")
    return name
