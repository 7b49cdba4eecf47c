"""The statements that make what follows from the work: the ledger, and what was counted by day."""

from collections.abc import Iterator

from benchmarks.growth.words import Words

# What each shop was granted at the beginning: more than it ever spends.
GRANTED = 100_000_000


def sums(words: Words) -> Iterator[str]:
    """All of them; the work is there already."""
    yield _entries(words)
    yield _instances()
    yield _daily_counts(words)
    yield _daily_durations(words)
    yield _daily_errors(words)
    yield _monthly_prompts(words)
    yield from _totals(words)


def _entries(words: Words) -> str:
    """A grant, then charges and refunds as they came; each shop's ids grow with time."""
    ended = words.after("b.created", "s.seconds")
    return f"""
        INSERT INTO credit_entries (id, instance_id, kind, amount, balance_after, reference,
          created_at)
        SELECT id, instance_id, kind, amount,
          sum(amount) OVER (PARTITION BY instance_id ORDER BY id), reference, at
        FROM (SELECT row_number() OVER (ORDER BY at, number) AS id, booked.* FROM (
          SELECT 0 AS number, i.id AS instance_id, 'GRANT' AS kind, {GRANTED} AS amount,
            'grant:' || i.id AS reference, i.created_at AS at FROM instances i
          UNION ALL SELECT b.number, b.instance_id, 'CHARGE', -s.credits,
            'charge:job:' || (b.first_job + s.job + 1), b.created
          FROM growth_blocks b JOIN growth_shapes s ON s.kind = b.kind WHERE b.batch_id IS NULL
          UNION ALL SELECT b.number, b.instance_id, 'CHARGE', -sum(s.credits),
            'charge:batch:' || b.batch_id, b.created
          FROM growth_blocks b JOIN growth_shapes s ON s.kind = b.kind WHERE b.batch_id IS NOT NULL
          GROUP BY b.number, b.instance_id, b.batch_id, b.created
          UNION ALL SELECT b.number, b.instance_id, 'REFUND', s.credits,
            'refund:item:' || (b.first_item + s.slot + 1), {ended}
          FROM growth_blocks b JOIN growth_slots s ON s.kind = b.kind WHERE s.refunded
        ) booked) ordered
        ORDER BY id"""


def _instances() -> str:
    return """
        UPDATE instances SET balance = booked.balance, due_items = 20 * waiting.blocks
        FROM (SELECT instance_id, sum(amount) AS balance FROM credit_entries
            GROUP BY instance_id) AS booked,
          (SELECT i.id, count(b.number) AS blocks FROM instances i LEFT JOIN growth_blocks b
            ON b.instance_id = i.id AND b.kind = 'waiting' GROUP BY i.id) AS waiting
        WHERE booked.instance_id = instances.id AND waiting.id = instances.id"""


def _daily_counts(words: Words) -> str:
    """All of them stand in the totals."""
    return f"""
        INSERT INTO daily_counts (instance_id, day, done, failed, canceled, reused, credits,
          summed_done, summed_failed, summed_canceled)
        SELECT instance_id, day, sum(done), sum(failed), sum(canceled), sum(reused), sum(credits),
          sum(done), sum(failed), sum(canceled)
        FROM {_ended_by_day(words)} GROUP BY instance_id, day"""


def _daily_durations(words: Words) -> str:
    return f"""
        INSERT INTO daily_durations (instance_id, day, bucket, images)
        SELECT instance_id, day, bucket, sum(done - reused)
        FROM {_ended_by_day(words)} GROUP BY instance_id, day, bucket
        HAVING sum(done - reused) > 0"""


def _daily_errors(words: Words) -> str:
    return f"""
        INSERT INTO daily_errors (instance_id, day, error_code, images)
        SELECT instance_id, day, 'content_flagged', sum(failed)
        FROM {_ended_by_day(words)} GROUP BY instance_id, day HAVING sum(failed) > 0"""


def _monthly_prompts(words: Words) -> str:
    month = words.month(words.after("b.created", "c.seconds"))
    return f"""
        INSERT INTO monthly_prompts (instance_id, month, prompt_hash, prompt, images)
        SELECT b.instance_id, {month}, b.prompt_hash, b.prompt, sum(c.done + c.failed + c.canceled)
        FROM growth_blocks b JOIN growth_classes c ON c.kind = b.kind
        GROUP BY b.instance_id, {month}, b.prompt_hash, b.prompt"""


def _ended_by_day(words: Words) -> str:
    day = f"date({words.after('b.created', 'c.seconds')})"
    return f"""(SELECT b.instance_id, {day} AS day, c.*
        FROM growth_blocks b JOIN growth_classes c ON c.kind = b.kind) ended"""


def _totals(words: Words) -> Iterator[str]:
    """As sweeps had made them by a minute ago."""
    for status in ("done", "failed", "canceled"):
        yield f"""
            INSERT INTO totals (name, value)
            SELECT '{status.upper()}', sum({status}) FROM daily_counts"""
    yield f"""
        INSERT INTO totals (name, value, up_to)
        SELECT 'credits_charged', -sum(CASE kind WHEN 'CHARGE' THEN amount ELSE 0 END), max(id)
        FROM credit_entries WHERE created_at < {words.from_now(-60)}"""
