"""What may happen at the same moment, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy import text

from models import following, ledger
from models.database import db
from tests.shop import PRICE, open_shop, submit


def test_of_many_schedulers_one_gets_the_work(in_database: Flask) -> None:
    asked = [following.beat("sweep", at_most_every=600) for _ in range(3)]
    asked.append(following.beat("sweep", at_most_every=0))

    assert asked == [True, False, False, True]


def test_orders_of_one_shop_with_keys_of_their_own_do_not_lock_each_other_out(
    bare_app: Flask,
) -> None:
    with bare_app.app_context():
        alice = open_shop("alice", credits=40 * PRICE)

    def post(number: int) -> None:
        with bare_app.app_context():
            submit(alice, key=f"key {number}")

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(post, range(40)))

    with bare_app.app_context():
        assert ledger.account(alice).balance == 0
        assert deadlocks() == 0


def deadlocks() -> int:
    if db.engine.dialect.name == "sqlite":
        return 0
    # A backend reports what it counted when it ends.
    db.engine.dispose()
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    with db.engine.connect() as connection:
        return int(connection.scalar(text(counted)) or 0)
