"""What a rate needs: processes, threads, calls, bytes. Little's law and multiplication.

Little: as many are under way as come in a second, times the seconds that each of them takes.
"""

from dataclasses import dataclass
from math import ceil

from benchmarks.simulation.ceiling import Ceilings
from benchmarks.simulation.days import Day
from benchmarks.simulation.price import Price
from benchmarks.simulation.real import Run
from benchmarks.simulation.world import Service

# A pool of threads is planned to be half busy, a core to be used for seven tenths.
THREADS_PART, CORE_PART = 0.5, 0.7
MINUTE, DAY, YEAR = 60.0, 86_400.0, 365 * 86_400.0


@dataclass(frozen=True)
class Image:
    """What one image costs. Seconds of threads and of the model, and looks, are the simulated
    day's; processor milliseconds (by kind of process), statements, commands and messages the real
    run's, with the order's own beside them; bytes are what the rows and PostgreSQL's log take."""

    creating: float
    following: float
    running: float
    looks: float
    processor_ms: dict[str, float]
    transactions: float
    statements: float
    commands: float
    messages: float
    log_bytes: float
    row_bytes: float

    @classmethod
    def of(cls, day: Day, run: Run, order: Price, found: Ceilings) -> "Image":
        """Put together what was simulated and what was measured."""
        sent = day.setting.images / DAY
        sql, commands, count = run.used.sql, run.used.redis, run.images
        return cls(
            creating=day.creating / sent,
            following=day.following / sent,
            running=day.running / sent,
            looks=day.looks,
            processor_ms={k: 1000 * v / count for k, v in run.used.processor.items()},
            transactions=sql["transactions"] / count + order.transactions,
            statements=sql["statements"] / count + order.statements,
            commands=commands.total() / count + order.redis,
            messages=commands["lpush"] / count + 1,
            log_bytes=sql["wal"] / count,
            row_bytes=found.bytes_per_image,
        )

    def other_calls(self, sweep: float = Service.sweep_interval) -> float:
        """Calls to Replicate besides the create: looks, and with webhooks one more by each sweep
        that finds it running."""
        return self.looks + self.running / sweep


@dataclass(frozen=True)
class Needs:
    """What so many images a second need."""

    rate: float
    image: Image

    def busy(self, seconds: float) -> float:
        """As many are busy at a time, where each image takes one so many seconds."""
        return self.rate * seconds

    def cores(self, kind: str) -> float:
        """Cores that this kind of process keeps busy."""
        return self.rate * self.image.processor_ms[kind] / 1000

    def processes(self, kind: str, seconds: float, threads: int = Service.threads) -> int:
        """Processes of that kind: enough threads, and none that is a core's whole work."""
        by_threads = self.busy(seconds) / THREADS_PART / threads
        return max(1, ceil(max(by_threads, self.cores(kind) / CORE_PART)))
