"""What a person can do something about, in a line or two; no traceback helps with it."""


class Trouble(Exception):
    """The sandbox cannot go on; the message says what to do."""
