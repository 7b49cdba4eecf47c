"""The moments of one image, all by the one wall clock of the machine, in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Life:
    """When what happened to an image; `checks` is how often its prediction was asked about."""

    posted: float
    written: float
    woken: float
    claimed: float
    created: float
    ended: float
    heard: float
    asked: float
    fetched: float
    closed: float
    done: float
    checks: int

    @property
    def start(self) -> float:
        """From the moment before the POST to the create's arrival at the stand-in."""
        return self.created - self.posted

    @property
    def finish(self) -> float:
        """From the prediction's end to the commit of DONE."""
        return self.done - self.ended

    @property
    def own(self) -> float:
        """Of that, what comes after the look at the prediction that saw its end."""
        return self.done - self.asked


# The names of what lies between one moment and the next.
BEFORE = {
    "HTTP, token, checks of the order": ("posted", "written"),
    "rest of the transaction, message, wake-up of a worker": ("written", "woken"),
    "is anything due, the limiter, first half of the claim": ("woken", "claimed"),
    "commit of the claim, create on the wire": ("claimed", "created"),
}
AFTER = {
    "webhook, signature, message, wake-up of a housekeeper": ("ended", "heard"),
    "whose it is, taking the check, GET on the wire": ("heard", "asked"),
    "answer read, GET of the result on the wire": ("asked", "fetched"),
    "download, decoding, storing": ("fetched", "closed"),
    "commit of DONE": ("closed", "done"),
}


def parts(lives: Sequence[Life], names: dict[str, tuple[str, str]]) -> dict[str, float]:
    """The median seconds of each part."""
    return {
        name: median(getattr(life, end) - getattr(life, begin) for life in lives)
        for name, (begin, end) in names.items()
    }
