"""Webhooks from real processes: they come soon, and a receiver that hangs holds up no stop."""

import time
from collections import Counter
from pathlib import Path

from tests.darkroom import darkroom
from tests.receiver import heard, listen
from tests.scripted_server import answer, scripted_server, silence
from tests.service import BOTH, wait_until
from tests.stand_in import StandIn


def test_shops_are_told_and_a_hanging_one_holds_up_no_stop(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    settings = {"ALLOW_PRIVATE_WEBHOOK_URLS": "true", "SWEEP_INTERVAL": "30s"}
    with (
        scripted_server() as app,
        scripted_server() as hanging,
        darkroom(postgres_database, redis_url, stand_in, tmp_path, **settings) as room,
    ):
        app.play(answer(204, b""))
        hanging.play(silence(hanging))
        alice, bob = room.shop("alice"), room.shop("bob")
        with room.app.app_context():
            endpoint = listen(alice, app.url)
            listen(bob, hanging.url)
        process = room.service.worker(BOTH)
        room.submit(alice, images=6)
        wait_until(lambda: len(app.requests) == 7, "all of it was told")
        room.submit(bob)
        wait_until(lambda: hanging.requests, "the other receiver hangs")

        began = time.monotonic()
        code = process.stop()

        assert time.monotonic() - began < 9
        assert code == 0
        told = Counter(each["type"] for each in heard(app, endpoint.secret))
        assert told == {"item.completed": 6, "job.completed": 1}
        room.check_settled()
