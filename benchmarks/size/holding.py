"""The memory of a worker that holds 50 images, and of the housekeeper that collects them."""

from benchmarks.servers import Servers
from benchmarks.size.containers import Containers, containers
from benchmarks.size.weighing import Weighed, weighed
from models.tables import Status
from tests.service import wait_until

IMAGES = 50
# As compose runs it: the worker sends ten creates at a time and is done with each at once.
THREADS = 10


def held(below: Servers, threads: int) -> list[Weighed]:
    """Weigh a worker and a housekeeper with so many threads before, while and after they see 50
    images through."""
    # With a thread for each image, all 50 creates wait for Replicate's answer at the same time.
    slow = 0.0 if threads == THREADS else 3.0
    below.stand_in.reset()
    below.stand_in.knobs(create_latency=slow, process_latency=5.0)
    settings = {"WORKER_CONCURRENCY": str(threads)}
    with containers(below, "api", "worker", "housekeeper", **settings) as running:
        idle = _both(running, f"{threads} threads, started")
        done = running.room.count(Status.DONE)
        with running.client(f"{threads} threads") as client:
            for order in running.orders(IMAGES):
                client.post("/api/image-optimization", json=order).raise_for_status()
        wait_until(lambda: len(below.stand_in.creates()) == IMAGES, "all created")
        full = _both(running, f"{threads} threads, {IMAGES} images in flight")
        running.room.wait_done(done + IMAGES)
        return [*idle, *full, *_both(running, f"{threads} threads, all of them done")]


def _both(running: Containers, situation: str) -> list[Weighed]:
    return weighed(running, "worker", situation) + weighed(running, "housekeeper", situation)
