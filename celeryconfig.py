"""How Celery runs here. Celery reads the names of this file as its settings.

The broker is lossy on purpose: it holds no work, it only wakes workers (the database holds what is
due). So the time-outs are short, and whatever gets lost or comes twice is repaired by the sweep.

Every name without an underscore is shown to whoever asks a worker for its configuration (Flower
does): so what is no setting of Celery's has one.
"""

import sys as _sys

from kombu import Exchange as _Exchange
from kombu import Queue as _Queue

from config.settings import Settings as _Settings
from config.settings import SettingsError as _SettingsError

try:
    _settings = _Settings.from_environment()
except _SettingsError as error:
    _sys.exit(f"darkroom: {error}")

broker_url = _settings.redis_url
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# A dead worker's messages come back after `visibility_timeout`, so no task waits that long
# (tasks/optimize.py, PATIENCE) and no countdown is longer. With the default throttle they would
# come back only after about 100 s more.
broker_transport_options = {
    "visibility_timeout": 40,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    # Whoever gives messages back holds a lock: one that dies then held up all others for 5 minutes.
    "unacked_mutex_expire": 5,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

_REPLICATE, _HOUSEKEEPING = "replicate", "housekeeping"
# Waiting for slots must never delay following predictions or the sweep: two queues, consumed by
# different processes.
task_queues = tuple(
    _Queue(name, _Exchange(name, type="direct"), routing_key=name)
    for name in (_REPLICATE, _HOUSEKEEPING)
)
task_default_queue = _HOUSEKEEPING
task_create_missing_queues = False
task_routes = {"optimize-next-image": {"queue": _REPLICATE}}
imports = (
    "tasks.optimize",
    "tasks.collect",
    "tasks.heed",
    "tasks.sweep",
    "tasks.credits",
    "tasks.deliver",
)

task_serializer = "json"
accept_content = ["json"]
task_ignore_result = True
task_acks_late = True
worker_prefetch_multiplier = 1
# The work is waiting for HTTP: threads wait cheaply. The pool has no time limits and cannot
# terminate a task, so every wait has its own bound and hears the stop (tasks/stopping.py).
worker_pool = "threads"
worker_concurrency = _settings.worker_concurrency
worker_hijack_root_logger = False
worker_send_task_events = True
timezone = "UTC"

# In memory: what is due is known from the database, so a schedule file would only be in the way.
beat_scheduler = "celery.beat:Scheduler"
beat_schedule = {
    "sweep": {
        "task": "sweep",
        "schedule": _settings.sweep_interval,
        "options": {"expires": 2 * _settings.sweep_interval},
    },
    "reset-monthly-credits": {
        "task": "reset-monthly-credits",
        "schedule": 900.0,
        "options": {"expires": 900.0},
    },
}
