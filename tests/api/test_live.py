"""GET /api/image-optimization/jobs/<id>/events, within one process."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event as hook
from sqlalchemy import text

from api import current
from api.live_watch import Times, Watch
from models import accounts, lifecycle
from models.database import db
from tasks.limiter import Limiter
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.api.conftest import serving
from tests.api.streams import EVENTS, Follower, following, hurry, shown
from tests.databases import settings_for
from tests.limiter_steps import granted
from tests.service import wait_until
from tests.shop import DEADLINE

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0.jpg"


@pytest.fixture
def fast(app: Flask) -> Iterator[Watch]:
    watch = hurry(app)
    yield watch
    wait_until(lambda: not watch.busy, "nobody watches any more")


@pytest.fixture
def followed(fast: Watch, alice: Shop) -> Shop:
    """Alice with one job of two images."""
    alice.post(order(2))
    return alice


def claim(app: Flask) -> int:
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn.attempt_id


def test_a_job_is_told_at_once_and_with_every_change_until_it_is_final(any_app: Flask) -> None:
    watch = hurry(any_app)
    alice = open_shop(any_app, "alice")
    alice.post(order(2))
    follower = Follower(alice)
    detail = f"{JOBS}/1"

    told = [follower.next_job()]
    asked = [alice.get(detail).get_json()]
    first = claim(any_app)
    told.append(follower.next_job())
    asked.append(alice.get(detail).get_json())
    second = claim(any_app)
    told.append(follower.next_job())
    asked.append(alice.get(detail).get_json())
    with any_app.app_context():
        lifecycle.fail(first, "bad_image_url", refund=False)
        lifecycle.finish(second, KEY, "image/jpeg")
    told.append(follower.next_job())
    asked.append(alice.get(detail).get_json())

    assert [shown(each) for each in told] == asked
    assert [each["job"]["status"] for each in asked] == ["PENDING", "RUNNING", "RUNNING", "DONE"]
    assert len({each["id"] for each in told}) == 4
    assert follower.rest() == ["end"]
    follower.answer.close()
    wait_until(lambda: not watch.busy, "nobody watches any more")


def test_nobody_keeps_or_gathers_a_stream(followed: Shop) -> None:
    follower = Follower(followed)

    with following(follower):
        headers = follower.answer.headers

    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Vary"] == "Authorization"
    assert headers["X-Request-Id"]
    assert "Content-Length" not in headers
    assert "ETag" not in headers


def test_what_the_client_has_is_not_sent_again(followed: Shop, app: Flask) -> None:
    follower = Follower(followed)
    with following(follower):
        known = follower.next_job()["id"]

    again = Follower(followed, known=known)
    with following(again):
        quiet = [next(iter(again)), next(iter(again))]
        with app.app_context():
            lifecycle.cancel_waiting(followed.id)
        last = again.next_job()
    final = Follower(followed, known=last["id"])

    assert quiet == [{"retry": "3000"}, {"": "nothing new"}]
    assert shown(last)["job"]["status"] == "CANCELED"
    with following(final):
        assert final.rest() == ["end"]


def test_an_instance_follows_two_jobs_at_a_time_and_a_process_eight(
    app: Flask, fast: Watch
) -> None:
    shops = [open_shop(app, f"shop-{n}") for n in range(5)]
    for shop in shops:
        shop.post(order())
    paths = [f"{JOBS}/{n}/events" for n in range(1, 6)]
    followers = [Follower(shops[0], paths[0]) for _ in range(2)]

    third = Follower(shops[0], paths[0]).answer
    followers += [Follower(shops[n], paths[n]) for n in (1, 1, 2, 2, 3, 3)]
    ninth = Follower(shops[4], paths[4]).answer
    followers.pop().answer.close()
    followers.append(Follower(shops[4], paths[4]))

    with following(*followers):
        for refusal in (third, ninth):
            assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "30")
            assert refusal.get_json()["code"] == "streams_busy"
        assert followers[-1].next_job()["event"] == "job"


def test_what_is_not_followed_to_its_end_holds_no_place(followed: Shop, bob: Shop) -> None:
    for _ in range(9):
        assert Follower(bob).answer.status_code == 404
        head = followed.client().head(EVENTS, headers=followed.bearer, buffered=True)
        assert (head.status_code, head.data) == (200, b"")
        assert followed.get(f"{EVENTS}?x=1").status_code == 400

    follower = Follower(followed)

    with following(follower):
        assert follower.next_job()["event"] == "job"


def test_what_waits_is_told_when_it_moves_up(any_app: Flask) -> None:
    watch = hurry(any_app, Times(look=0.05, waiting=60.0, anyway=60.0, listen=0.05))
    alice = open_shop(any_app, "alice")
    alice.post(order(1))
    alice.post(order(1))
    follower = Follower(alice, f"{JOBS}/2/events")

    before = follower.next_job()
    claim(any_app)
    after = follower.next_job()

    assert [shown(each)["job"]["queuePosition"] for each in (before, after)] == [2, 1]
    assert before["id"].partition("-")[0] == after["id"].partition("-")[0] == "1"
    follower.answer.close()
    wait_until(lambda: not watch.busy, "nobody watches any more")


def test_what_waits_is_told_when_it_is_expected_later(sqlite_database: str, redis_url: str) -> None:
    with serving(settings_for(sqlite_database, redis_url=redis_url)) as app:
        watch = hurry(app)
        alice = open_shop(app, "alice")
        alice.post(order(1))
        with app.app_context():
            limiter: Limiter = current.parts().limiter
            granted(limiter)
        follower = Follower(alice)

        before = follower.next_job()
        limiter.pause(300, "throttled")
        after = follower.next_job()

        starts = [shown(each)["job"]["estimatedStartAt"] for each in (before, after)]
        assert starts[0] < starts[1]
        follower.answer.close()
        wait_until(lambda: not watch.busy, "nobody watches any more")


def test_a_stream_ends_for_who_may_not_ask_any_more(followed: Shop, app: Flask) -> None:
    follower = Follower(followed)
    with following(follower):
        follower.next_job()

        with app.app_context():
            accounts.disable("alice")

        assert set(follower.rest()) <= {"comment", "job"}
        assert Follower(followed).answer.status_code == 401
        with app.app_context():
            lifecycle.cancel_waiting(followed.id)


def test_a_stream_shows_life_and_lasts_only_so_long(app: Flask, alice: Shop) -> None:
    watch = hurry(app, Times(look=0.05, heartbeat=0.1, life=0.6, listen=0.02))
    alice.post(order())

    follower = Follower(alice)

    with following(follower):
        names = follower.rest()
    assert names[0] == "job"
    assert set(names[1:]) == {"comment"}
    assert 2 <= len(names) - 1 <= 6
    wait_until(lambda: not watch.busy, "nobody watches any more")


def test_streams_end_with_their_process(followed: Shop, fast: Watch) -> None:
    follower = Follower(followed)
    with following(follower):
        follower.next_job()

        fast.alive = lambda: False

        assert "end" not in follower.rest()


def test_one_question_watches_all_streams_and_none_of_them_holds_a_connection(
    followed: Shop, bob: Shop, app: Flask, fast: Watch
) -> None:
    bob.post(order())
    lookers = [Follower(followed), Follower(followed), Follower(bob, f"{JOBS}/2/events")]
    with following(*lookers):
        for each in lookers:
            each.next_job()
        asked = overhear(app)

        wait_until(lambda: len(asked) >= 5, "five looks")

        with app.app_context():
            wait_until(lambda: db.engine.pool.checkedout() == 0, "every connection is free")  # type: ignore[attr-defined]
        assert {"turns_left" in sql for sql in asked if sql != "BEGIN"} == {True}


def overhear(app: Flask) -> list[str]:
    """The questions from now on."""
    asked: list[str] = []
    with app.app_context():
        hook.listen(db.engine, "before_cursor_execute", lambda _c, _cu, sql, *_: asked.append(sql))
    return asked


def test_while_the_database_is_away_streams_break_off_and_the_watch_goes_on(
    followed: Shop, app: Flask, fast: Watch
) -> None:
    first, second = Follower(followed), Follower(followed)
    with following(first, second):
        first.next_job()
        second.next_job()

        rename(app, "image_optimization_jobs", "elsewhere")
        broken = first.rest()
        rename(app, "elsewhere", "image_optimization_jobs")

        assert "end" not in broken
        assert fast.busy
    again = Follower(followed)
    with following(again):
        again.next_job()
        claim(app)
        assert shown(again.next_job())["job"]["status"] == "RUNNING"


def rename(app: Flask, table: str, name: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
