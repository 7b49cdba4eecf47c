"""The statements that make the rows of the work from blocks and slots. Keys that are random in a
real database are hashes here, so that they lie as far apart in their indexes."""

from collections.abc import Iterator

from benchmarks.growth.words import Words

ITEM_ID = "b.first_item + s.slot + 1"
JOB_ID = "b.first_job + s.job + 1"
SENT = """'["https://files.example/picture.jpg"]'"""


def work(words: Words) -> Iterator[str]:
    """All of them, in an order in which each row finds those that it names."""
    yield _uploads()
    yield _batches()
    yield _jobs(words)
    yield _items(words)
    yield _attempts(words)
    yield _keys(words)
    yield _deliveries(words)


def _uploads() -> str:
    return """
        INSERT INTO uploads (id, instance_id, key, sha256, content_type, bytes, width, height,
          created_at, last_used_at)
        SELECT b.number + 1, b.instance_id, b.upload, md5(b.upload), 'image/jpeg', 200000, 800, 600,
          b.created, b.created
        FROM growth_blocks b WHERE b.upload IS NOT NULL ORDER BY b.number"""


def _batches() -> str:
    return """
        INSERT INTO image_optimization_batches (id, instance_id, total_jobs, total_images,
          created_at)
        SELECT b.batch_id, b.instance_id, 5, 20, b.created
        FROM growth_blocks b WHERE b.batch_id IS NOT NULL ORDER BY b.number"""


def _jobs(words: Words) -> str:
    return f"""
        INSERT INTO image_optimization_jobs (id, instance_id, product_id, product_name, status,
          total_images, completed_images, failed_images, canceled_images, created_at, started_at,
          finished_at, version, batch_id)
        SELECT {JOB_ID}, b.instance_id, 'product-' || b.number % 500,
          'The product number ' || b.number % 500, s.status, s.total, s.completed, s.failed,
          s.canceled, b.created, CASE WHEN s.started THEN b.created END,
          CASE WHEN s.seconds IS NOT NULL THEN {words.after("b.created", "s.seconds")} END,
          s.total + 1, b.batch_id
        FROM growth_blocks b JOIN growth_shapes s ON s.kind = b.kind ORDER BY b.number, s.job"""


def _items(words: Words) -> str:
    result = f"CASE WHEN s.status = 'DONE' THEN md5('result ' || ({ITEM_ID})) || '.jpg' END"
    upload = "CASE s.slot WHEN 0 THEN b.upload WHEN 1 THEN b.origin_upload END"
    return f"""
        INSERT INTO image_optimization_items (id, job_id, instance_id, position, image_id,
          image_url, prompt, aspect_ratio, output_format, credits, status, attempt_id,
          failed_attempts, not_before, refunded, result_key, result_type, error_code, error,
          created_at, updated_at, reuse_hash, reused_from, stored_key, counted)
        SELECT {ITEM_ID}, {JOB_ID}, b.instance_id, s.position, 'image-' || s.position,
          coalesce('/uploads/' || {upload}, 'https://shop.example/' || b.number || '/photo-'
            || s.slot || '.jpg'),
          b.prompt, 'match_input_image', 'jpg', s.credits, s.status,
          CASE WHEN s.attempt IS NOT NULL THEN {ITEM_ID} END, CASE WHEN s.rests THEN 1 ELSE 0 END,
          CASE WHEN s.rests THEN {words.from_now(3600)} END, s.refunded, {result},
          CASE WHEN s.status = 'DONE' THEN 'image/jpeg' END, s.error_code,
          CASE WHEN s.error_code IS NOT NULL THEN 'It was refused. Please change it.' END,
          b.created, {words.after("b.created", "s.seconds")}, md5({upload}) || md5({upload}),
          CASE WHEN s.reused THEN b.origin_item END,
          CASE WHEN s.reused THEN md5('result ' || b.origin_item) || '.jpg' END, s.final
        FROM growth_blocks b JOIN growth_slots s ON s.kind = b.kind ORDER BY b.number, s.slot"""


def _attempts(words: Words) -> str:
    """One for each image that had any; those that run were made a minute ago."""
    created = f"CASE WHEN s.attempt = 'CREATED' THEN {words.from_now(-60)} ELSE b.created END"
    ended = words.after("b.created", "s.seconds")
    return f"""
        INSERT INTO image_optimization_attempts (id, item_id, reference, result_key, status,
          outcome, prediction_id, checks, created_at, lease_until, deadline_at, next_check_at,
          ended_at, sent_urls)
        SELECT {ITEM_ID}, {ITEM_ID}, md5('reference ' || ({ITEM_ID})),
          md5('result ' || ({ITEM_ID})), s.attempt, s.outcome,
          substr(md5('prediction ' || ({ITEM_ID})), 1, 26), 2, {created}, {words.from_now(-30)},
          {words.from_now(540)}, CASE WHEN s.attempt = 'CREATED' THEN {words.from_now(3600)} END,
          CASE WHEN s.attempt = 'ENDED' THEN {ended} END,
          CASE WHEN s.slot = 0 AND b.upload IS NOT NULL
            THEN {words.json(SENT)} END
        FROM growth_blocks b JOIN growth_slots s ON s.kind = b.kind
        WHERE s.attempt IS NOT NULL ORDER BY b.number, s.slot"""


def _keys(words: Words) -> str:
    """One for the first job of each block that waits."""
    answer = """'{"job": {"id": ' || (b.first_job + 1) || '}}'"""
    return f"""
        INSERT INTO idempotency_keys (instance_id, key, request_hash, answer, created_at)
        SELECT b.instance_id, md5('key ' || b.number), md5('wish ' || b.number),
          {words.json(answer)}, b.created
        FROM growth_blocks b WHERE b.kind = 'waiting' ORDER BY b.number"""


def _deliveries(words: Words) -> str:
    """What the large shop's app was told of its jobs in the last weeks; endpoint 1 is its own."""
    ended = words.after("b.created", "s.seconds")
    return f"""
        INSERT INTO webhook_deliveries (endpoint_id, instance_id, message_id, event, job_id, status,
          attempts, response_status, created_at, finished_at)
        SELECT 1, b.instance_id, 'msg_' || md5('message ' || ({JOB_ID})),
          CASE s.status WHEN 'DONE' THEN 'job.completed' WHEN 'FAILED' THEN 'job.failed'
            ELSE 'job.canceled' END,
          {JOB_ID}, 'DELIVERED', 1, 200, {ended}, {ended}
        FROM growth_blocks b JOIN growth_shapes s ON s.kind = b.kind
        WHERE b.upload IS NOT NULL AND s.seconds IS NOT NULL
          AND b.created > {words.from_now(-29 * 86_400)}
        ORDER BY b.number, s.job"""
