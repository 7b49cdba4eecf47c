"""Every address that an app answers, made from its routes: those still to come are in it too."""

import re
from collections.abc import Callable

from flask import Flask
from werkzeug.routing import Rule

PART = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def rules(app: Flask) -> list[Rule]:
    """The routes, always in the same order."""
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def filled(rule: Rule, value: Callable[[str], str]) -> str:
    """The route's path, with `value(kind)` where a part is to be filled in, as it is written."""
    return PART.sub(lambda part: value(part[1] or "string"), rule.rule)
