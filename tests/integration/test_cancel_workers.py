"""Canceling a job under real workers and the stand-in."""

from models import cancellation
from models.tables import Status
from tests.darkroom import Darkroom
from tests.service import wait_until
from tests.shop import PRICE


def test_what_replicate_works_on_is_ended_there_and_what_is_done_stays(room: Darkroom) -> None:
    room.stand_in.knobs(outcomes=[{"status": "processing"}, {"status": "processing"}])
    room.service.start()
    alice = room.shop("alice")
    job_id = room.submit(alice, images=5)
    room.wait_done(3)

    with room.app.app_context():
        canceled = cancellation.cancel_job(alice, job_id)
    for attempt_id, number in canceled.checks:
        room.waker.follow(attempt_id, number)
    wait_until(lambda: room.count(Status.CANCELED) == 2, "two images CANCELED")

    ended = sorted(prediction["status"] for prediction in room.stand_in.predictions())
    assert ended == ["canceled"] * 2 + ["succeeded"] * 3
    job = room.job(alice, job_id)
    assert (job.status, job.completed_images, job.canceled_images) == (Status.DONE, 3, 2)
    assert room.balance(alice) == 100_000 - 5 * PRICE
    room.check_settled()
