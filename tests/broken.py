"""A small world of rows in every state, and SQL that breaks what the tables would not allow."""

from flask import Flask

from models import lifecycle
from models.database import db
from tests.shop import DEADLINE, open_shop, submit

LONG_AGO = "'2020-01-01 00:00:00.000000'"
RESULT = "0123456789abcdef0123456789abcdef.jpg"


def fill(app: Flask) -> None:
    """Alice's job 1: item 1 is DONE, 2 is FAILED and refunded, 3 has a prediction, 4 is about to
    be created, 5 waits; each of the first four is held by the attempt of its own number. Bob's job
    2 has item 6 waiting. Alice is instance 1, Bob is 2."""
    with app.app_context():
        alice, bob = open_shop("alice"), open_shop("bob")
        submit(alice, images=5, key="order-1")
        attempts = [turn.attempt_id for _ in range(4) if (turn := lifecycle.claim_next(DEADLINE))]
        lifecycle.note(attempts[0], "p1", 1.0)
        lifecycle.finish(attempts[0], RESULT, "image/jpeg")
        lifecycle.fail(attempts[1], "model_failed", refund=True)
        lifecycle.note(attempts[2], "p3", 1.0)
        submit(bob, images=1)


def break_rows(app: Flask, *statements: str) -> None:
    """Run SQL without the checks of foreign keys."""
    with app.app_context(), db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        driver = connection.connection.driver_connection
        assert driver is not None
        if sqlite:
            driver.execute("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
        if sqlite:
            driver.execute("PRAGMA foreign_keys=ON")


def attempt(id: int, item_id: int, **changes: str) -> str:
    """The statement that adds an attempt."""
    facts = {
        "id": f"{id}",
        "item_id": f"{item_id}",
        "reference": f"'reference-{id}'",
        "result_key": f"'key-{id}'",
        "status": "'CREATING'",
        "checks": "0",
        "created_at": LONG_AGO,
        "lease_until": LONG_AGO,
        "deadline_at": LONG_AGO,
    } | changes
    columns, values = ", ".join(facts), ", ".join(facts.values())
    return f"INSERT INTO image_optimization_attempts ({columns}) VALUES ({values})"
