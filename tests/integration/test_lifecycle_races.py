"""What may happen at the same moment, on both databases: see SPEC.md, "What cannot happen"."""

from flask import Flask

from models import following


def test_of_many_schedulers_one_gets_the_work(in_database: Flask) -> None:
    asked = [following.beat("sweep", at_most_every=600) for _ in range(3)]
    asked.append(following.beat("sweep", at_most_every=0))

    assert asked == [True, False, False, True]
