"""How Flower runs here. Flower reads the names of this file as its options."""

import sys
from pathlib import Path

# The program `celery` does not look for modules where it is started; Flower reads this file late.
sys.path.insert(0, str(Path(__file__).parent))

from celeryconfig import settings

if not settings.flower_basic_auth:
    sys.exit("darkroom: FLOWER_BASIC_AUTH: must be user:password, Flower shows and stops workers")

basic_auth = [settings.flower_basic_auth]
# It keeps everything in memory: a task is about 2 kB.
max_tasks = 10_000
max_workers = 500
purge_offline_workers = 600
# A task's own words say the most: why it was sent and what it did.
tasks_columns = "name,kwargs,state,result,received,runtime,worker"
natural_time = True
