"""What can be wrong with a catalogue; `api/errors.py` has an answer for each."""

from api.problems import InvalidInput


class CatalogueNotConnected(Exception):
    """This instance has no shop, or its shop lets us in no more. The text says what to do."""


class CatalogueUnavailable(Exception):
    """The products cannot be read just now. The text is for the log, and holds no secret."""


def page_gone() -> InvalidInput:
    """Cursors grow old, and those of one catalogue mean nothing to another."""
    return InvalidInput({"cursor": ["This page is gone. Begin again without a cursor."]})
