"""The models that images may be ordered from, and what one image of each costs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MODEL = r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*"
RESOLUTIONS = ("1K", "2K", "4K")
OFFER = re.compile(rf"({MODEL})(?:@({'|'.join(RESOLUTIONS)}))?=([1-9]\d{{0,6}})")


@dataclass(frozen=True, slots=True)
class Offer:
    """One image of a model, at a resolution if the model has several, for so many credits."""

    model: str
    resolution: str | None
    credits: int

    def __str__(self) -> str:
        return self.model + (f" at {self.resolution}" if self.resolution else "")


def read_offers(name: str, texts: Sequence[str]) -> tuple[Offer, ...]:
    """Read `owner/name=credits` or `owner/name@2K=credits`, each pair once.

    Raises `ValueError` with a sentence that begins with the setting's name.
    """
    offers = []
    for text in texts:
        match = OFFER.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{name}: {text!r} is no offer: write it like google/nano-banana=15 or"
                " google/nano-banana-pro@4K=120, several with commas between"
            )
        offers.append(Offer(match[1], match[2], int(match[3])))
    _refuse_twins(name, offers)
    return tuple(offers)


def _refuse_twins(name: str, offers: Sequence[Offer]) -> None:
    """A model with resolutions has no price without one: nobody could tell what it would make."""
    pairs = [(offer.model, offer.resolution) for offer in offers]
    plain = {offer.model for offer in offers if offer.resolution is None}
    both = {offer.model for offer in offers if offer.resolution} & plain
    if len(set(pairs)) < len(pairs) or both:
        raise ValueError(f"{name}: each model, or each of its resolutions, may stand there once")
