"""What was measured on real servers, as tables."""

from collections.abc import Sequence

from benchmarks.section import Cell, Table
from benchmarks.simulation.ceiling import Ceilings
from benchmarks.simulation.compare import Comparison
from benchmarks.simulation.price import Price
from benchmarks.simulation.real import Run
from benchmarks.simulation.told import size
from benchmarks.simulation.waits import Wait

# Redis commands by what they are for; LPUSH is a message.
LIMITER = (
    "evalsha", "eval", "time", "info", "zrange", "zadd", "zrem", "hget", "hmget", "hset", "hdel",
    "zremrangebyscore", "zrangebyscore",
)  # fmt: skip


def compared(found: Comparison) -> Table:
    """Real and simulated waits."""
    rows: list[list[Cell]] = [
        [name, real.images, *_pairs(real, simulated)] for name, real, simulated in found.waits()
    ]
    return Table(
        "Real and simulated time in the queue, in seconds",
        ["shop", "images", "p50", "p95", "longest"],
        rows,
        note="Each first the real run's, then the simulation's of the very same orders.",
    )


def _pairs(real: Wait, simulated: Wait) -> list[Cell]:
    pairs = ((real.p50, simulated.p50), (real.p95, simulated.p95), (real.most, simulated.most))
    return [f"{one:.1f} · {other:.1f}" for one, other in pairs]


def steps(prices: Sequence[Price]) -> Table:
    """The price of each step."""
    return Table(
        "What an image costs the database and Redis, step by step",
        ["step", "transactions", "statements", "Redis commands"],
        [[each.step, each.transactions, each.statements, each.redis] for each in prices],
        note="Counted in one process by SQLAlchemy's events, without BEGIN and COMMIT; Redis"
        " commands with those inside the limiter's script, without Celery's own.",
    )


def totals(run: Run) -> Table:
    """What the whole real run cost."""
    sql, commands = run.used.sql, run.used.redis
    limiter = sum(commands[name] for name in LIMITER)
    rows: list[list[Cell]] = [
        [f"processor time of {name}", f"{1000 * seconds / run.images:.1f} ms"]
        for name, seconds in sorted(run.used.processor.items())
    ]
    per_image = {
        "transactions": sql["transactions"],
        "SQL statements, with BEGIN and COMMIT": sql["statements"],
        "rows inserted": sql["inserted"],
        "rows updated": sql["updated"],
        "messages": commands["lpush"],
        "Redis commands": commands.total(),
        "of these the limiter's": limiter,
    }
    rows += [[what, f"{number / run.images:.2f}"] for what, number in per_image.items()]
    rows.append(["PostgreSQL's log (WAL)", size(sql["wal"] / run.images)])
    note = f"{run.images} images in {run.seconds:.0f} s, from the claim to DONE, polled; sweeps"
    return Table(
        "What an image cost in the real run, all of it together",
        ["", "an image"],
        rows,
        note=f"{note} every 2 s, the scheduler, heartbeats and Flower's events are in it.",
    )


def most(found: Ceilings) -> Table:
    """What one PostgreSQL does."""
    return Table(
        "What one PostgreSQL does on this machine, clients on the same cores",
        ["", "processes", "images a second", "server's processor time an image"],
        [
            [row.what, row.processes, row.output.rate, f"{row.output.server_ms:.2f} ms"]
            for row in found.rows
        ],
        note="A whole life: ordered in a job of ten, claimed, noted, looked at once, DONE. Claims"
        " from a single shop meet at one row, one after the other.",
    )
