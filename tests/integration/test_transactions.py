"""A transaction outlives the loss of the connection that it was given."""

from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from models.database import each_alone, lookup, reading, snapshot, transaction
from tests.databases import bound
from tests.postgres import Postgres
from tests.shop import open_shop


def count(asked: Session | Connection) -> int:
    return int(asked.execute(text("SELECT count(*) FROM instances")).scalar_one())


def test_whatever_comes_first_after_all_connections_were_cut_succeeds(
    postgres_server: Postgres, postgres_database: str
) -> None:
    ways = [each_alone(count), lookup(count), reading(count), snapshot(count), transaction(count)]
    with bound(postgres_database) as app, app.app_context():
        open_shop("alice")
        found = []
        for way in ways:
            fill_pool(app)
            postgres_server.cut_connections(postgres_database)
            found.append(way())

    assert found == [1] * len(ways)


def fill_pool(app: Flask) -> None:
    """Have two connections wait in the pool."""

    @reading
    def outer(_session: Session) -> None:
        with app.app_context():
            transaction(count)()

    outer()
