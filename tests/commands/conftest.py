"""The command line on both databases."""

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from api.commands import register


@pytest.fixture
def command_line(bare_app: Flask) -> FlaskCliRunner:
    """Run commands as `flask --app wsgi …` does; its output is no terminal."""
    register(bare_app)
    return bare_app.test_cli_runner()
