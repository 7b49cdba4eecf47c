"""How Flower runs here. Flower reads the names of this file as its options."""

import ast
import os
import re
import sys
from pathlib import Path

# The program `celery` does not look for modules where it is started; Flower reads this file late.
sys.path.insert(0, str(Path(__file__).parent))

from celery.events.state import Task
from flower.views.monitor import Metrics
from tornado.web import authenticated

from config.settings import Settings, SettingsError

try:
    settings = Settings.from_environment()
except SettingsError as error:
    sys.exit(f"darkroom: {error}")

if not settings.flower_basic_auth:
    sys.exit("darkroom: FLOWER_BASIC_AUTH: must be user:password, Flower shows and stops workers")

basic_auth = [settings.flower_basic_auth]
# Flower leaves its metrics open, and they name every worker. /healthcheck says nothing but OK.
Metrics.get = authenticated(Metrics.get)

# The path that a proxy serves it under; every link and every file then has it in front.
path = os.environ.get("FLOWER_URL_PREFIX", "")
if not re.fullmatch(r"(/[\w-]+)*", path):
    sys.exit("darkroom: FLOWER_URL_PREFIX: must be a path like /flower")
url_prefix = path.removeprefix("/")

# It keeps everything in memory and knows nothing after a restart. Measured with tasks like ours:
# 10,000 of them take 43 MB, which become 58 while older ones are replaced, and then no more.
max_tasks = 10_000
max_workers = 500
purge_offline_workers = 600

# A task's own words say the most: why it was sent and what it did. What else there is to know
# stands on the task's page; with exact times or more columns, 1440 px are not enough.
tasks_columns = "name,args,state,result,received,worker"
natural_time = True


def format_task(task: Task) -> Task:
    """Show plain words: no empty brackets, and no quotes around what a task returned."""
    said = (text for text in (task.args, task.kwargs) if text not in {None, "()", "{}"})
    task.args, task.kwargs = "; ".join(said), ""
    if task.result and task.result[0] == task.result[-1] and task.result[0] in "'\"":
        task.result = ast.literal_eval(task.result)
    return task
