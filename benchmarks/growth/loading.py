"""Filling a migrated, empty database with a history as the service itself would have written it:
`models.invariants` has nothing to say against it. A million images take well under a minute."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    insert,
    text,
)

from benchmarks.growth.blocks import DAYS, LARGE_SHOP, Block, Scale, blocks
from benchmarks.growth.rows import work
from benchmarks.growth.slots import Class, Shape, Slot, classes, shapes, slots
from benchmarks.growth.sums import sums
from benchmarks.growth.words import Words
from config.plans import PLANS
from models import outgoing
from models.accounts import hash_token
from models.clock import UtcDateTime
from models.database import AT_ONCE, Base, db
from models.tables import Id, Instance, WebhookEndpoint

TYPES: dict[str, Any] = {
    "int": Id, "str": String(), "Status": String(), "AttemptStatus": String(), "bool": Boolean(),
    "datetime": UtcDateTime(),
}  # fmt: skip
STAGED = {"growth_blocks": Block, "growth_slots": Slot, "growth_shapes": Shape,
          "growth_classes": Class}  # fmt: skip


def token_of(shop: int) -> str:
    """The token that an instance has in such a database."""
    return f"dk_growth_{shop}"


def load(scale: Scale) -> None:
    """Fill the current app's database."""
    now = datetime.now(UTC).replace(microsecond=0)
    every = list(slots())
    staged = (blocks(scale, now), every, shapes(every), classes(every))
    with _in_haste() as connection, _indexes_afterwards(connection):
        connection.execute(insert(Instance), list(_instances(scale, now)))
        connection.execute(insert(WebhookEndpoint), [_endpoint()])
        for (name, kind), rows in zip(STAGED.items(), staged, strict=True):
            _stage(connection, name, kind, rows)
        words = Words(connection.dialect.name == "postgresql")
        moment = now if words.postgresql else f"{now:%F %T}"
        for statement in (*work(words), *sums(words)):
            connection.execute(text(statement), {"now": moment} if ":now" in statement else {})
        for name in STAGED:
            connection.execute(text(f"DROP TABLE {name}"))
        _go_on_counting(connection)
    _tidy_up()


def _instances(scale: Scale, now: datetime) -> Iterable[dict[str, Any]]:
    plans = list(PLANS)
    return [
        {
            "name": f"shop-{number}",
            "plan": "enterprise" if number == LARGE_SHOP else plans[number % len(plans)],
            "token_hash": hash_token(token_of(number)),
            "reset_month": f"{now:%Y-%m}",
            "last_served": now - timedelta(seconds=scale.shops - number),
            "created_at": now - timedelta(days=DAYS + 1),
        }
        for number in range(1, scale.shops + 1)
    ]


def _endpoint() -> dict[str, Any]:
    facts = {"url": "https://shop.example/hook", "secret": "whsec_growth"}
    return facts | {"instance_id": LARGE_SHOP, "events": list(outgoing.EVENTS)}


def _stage(connection: Connection, name: str, kind: Any, rows: Iterable[Any]) -> None:
    columns = [
        Column(each, _type(hint), primary_key=each == "number")
        for each, hint in kind.__annotations__.items()
    ]
    table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
    table.create(connection)
    connection.execute(insert(table), [row._asdict() for row in rows])


def _type(hint: Any) -> Any:
    """Of `int | None` that of `int`."""
    (name,) = {each.__name__ for each in getattr(hint, "__args__", [hint])} - {"NoneType"}
    return TYPES[name]


@contextmanager
def _in_haste() -> Iterator[Connection]:
    """One transaction that looks up no foreign keys, and waits for no disk."""
    with db.engine.connect().execution_options(writes=True) as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            driver.create_function("md5", 1, _md5, deterministic=True)
            for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF",
                           "cache_size=-500000", "temp_store=MEMORY"):  # fmt: skip
                driver.execute(f"PRAGMA {pragma}")
        with connection.begin():
            if connection.dialect.name == "postgresql":
                for option in ("session_replication_role = replica", "statement_timeout = 0",
                               "maintenance_work_mem = '256MB'", "work_mem = '64MB'"):  # fmt: skip
                    connection.exec_driver_sql(f"SET LOCAL {option}")
            yield connection
        connection.invalidate()
    db.engine.dispose()


def _md5(value: object) -> str | None:
    """As PostgreSQL's."""
    return None if value is None else md5(str(value).encode(), usedforsecurity=False).hexdigest()


@contextmanager
def _indexes_afterwards(connection: Connection) -> Iterator[None]:
    """To sort a million rows once is faster than to put each in its place."""
    indexes = [index for table in Base.metadata.sorted_tables for index in table.indexes]
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def _go_on_counting(connection: Connection) -> None:
    """PostgreSQL gives ids out by sequences, which know nothing of those that were written."""
    if connection.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        if "id" in table.columns:
            name = table.name
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            last = f"setval({sequence}, max(id))"
            connection.exec_driver_sql(f"SELECT {last} FROM {name} HAVING max(id) IS NOT NULL")


def _tidy_up() -> None:
    """What PostgreSQL does by itself after a while: to look at its rows, so that it knows them."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(**AT_ONCE) as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.invalidate()
