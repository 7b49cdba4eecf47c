"""Puts the meter into a worker: `celery worker --include benchmarks.worker.metering`.

Nothing else may import it, because it wraps the product's own functions. Every tenth of a second
all sums are written to METER_FILE.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_ready

from benchmarks.worker.layers import install
from benchmarks.worker.meter import Meter, by_layer

EVERY = 0.1


def _spent_by_threads() -> dict[int, float]:
    return {
        thread.ident: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None
    }


def _keep_writing(meter: Meter, file: Path) -> None:
    main = threading.main_thread().ident or 0
    while True:
        found = by_layer(time.process_time(), main, _spent_by_threads(), meter.sums())
        new = file.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(file)
        time.sleep(EVERY)


@worker_ready.connect
def _begin_writing(**_facts: Any) -> None:
    where = (_METER, Path(os.environ["METER_FILE"]))
    threading.Thread(target=_keep_writing, args=where, name="meter", daemon=True).start()


_METER = Meter()
install(_METER.wrap, _METER.wrap_context)
