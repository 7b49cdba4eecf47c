"""GET /api/analytics and /api/analytics.csv: what an instance has used, by day."""

import csv
import io
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from flask import Response

from api import current, usage_schemas
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.problems import InvalidInput
from api.usage_schemas import MOST_DAYS, UsageQuery, UsageSchema
from models import analytics, usage
from models.usage import Day, Usage

DAYS = 30
COLUMNS = ("date", "done", "failed", "canceled", "reused", "creditsSpent")

blp = Blueprint("analytics", "/api", "What was used, by day.", private=True)


@blp.route("/analytics", parameters=[IF_NONE_MATCH])
@blp.arguments(UsageQuery, location="query")
@blp.response(200, UsageSchema, example=usage_schemas.USAGE, headers=CACHING)
@blp.refuses(304)
def show_usage(query: dict[str, date]) -> Usage:
    """Show images by day and outcome, credits, times, failures and favourite prompts.

    The last 30 days by default, 366 at the most. An image is counted on the day (UTC) on which it
    became final, its credits too.
    """
    found = usage.usage(*_asked(query))
    revalidate(_facts(found))
    return found


@blp.route("/analytics.csv", parameters=[IF_NONE_MATCH])
@blp.arguments(UsageQuery, location="query")
@blp.response(
    200,
    {"type": "string"},
    content_type="text/csv",
    example=usage_schemas.CSV,
    headers=CACHING,
    description="A line for every day, below the columns' names.",
)
@blp.refuses(304)
def download_usage(query: dict[str, date]) -> Response:
    """The days as a file for a spreadsheet: numbers and dates alone, so nothing in it is run."""
    instance, first, last = _asked(query)
    days = usage.days(instance, first, last)
    revalidate(f"{days}")
    name = f"darkroom-usage-{first}-{last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_csv(days), headers=headers, mimetype="text/csv")


def _asked(query: dict[str, date]) -> tuple[int, date, date]:
    """Who asks for which days, with what has just become final counted."""
    last = query.get("until") or usage.today()
    first = query.get("since") or last - timedelta(days=DAYS - 1)
    if (last - first).days >= MOST_DAYS:
        raise InvalidInput({"from": [f"Must be within the {MOST_DAYS} days that end with `to`."]})
    if first > last:
        raise InvalidInput({"from": ["Must not be after today, unless there is a `to`."]})
    analytics.catch_up(current.instance())
    return current.instance(), first, last


def _facts(found: Usage) -> dict[str, Any]:
    """All of it without dates, which JSON does not know, for a tag."""
    days = [f"{day}" for day in found.days]
    return asdict(found) | {"first": str(found.first), "last": str(found.last), "days": days}


def _csv(days: list[Day]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for day in days:
        writer.writerow(asdict(day).values())
    return file.getvalue()
