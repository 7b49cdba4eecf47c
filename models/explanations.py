"""What the owner of a failed image is told: a stable code, one sentence, and whether to try again.

The sentences are a shop owner's words; the provider's own text is never shown.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """`retry`: the same image, prompt and options may well succeed when they are ordered again."""

    sentence: str
    retry: bool


EXPLANATIONS = {
    "content_flagged": Explanation(
        "The image or the prompt was refused as sensitive content. Please change it.", retry=False
    ),
    "bad_image_url": Explanation(
        "The image could not be read from its address. Please check that everybody can open it.",
        retry=False,
    ),
    "upload_lost": Explanation(
        "The uploaded image is no longer there, and its credits were given back. Please upload it"
        " again.",
        retry=False,
    ),
    "invalid_input": Explanation(
        "The model does not accept this image, prompt or option. Please change it.", retry=False
    ),
    "model_busy": Explanation(
        "The model was too busy for too long. Please try again later.", retry=True
    ),
    "model_failed": Explanation("The model made no image this time. Please try again.", retry=True),
    "timed_out": Explanation("The model took too long. Please try again.", retry=True),
    "too_many_attempts": Explanation(
        "The image could not be optimized after several tries. Please try again later.", retry=True
    ),
    "result_unusable": Explanation(
        "The model's result was not a usable image. Please try again.", retry=True
    ),
    "result_lost": Explanation(
        "The result was deleted before it could be saved, and its credits were given back."
        " Please try again.",
        retry=True,
    ),
    "expired": Explanation(
        "The image waited too long to be sent, and its credits were given back. Please try again.",
        retry=True,
    ),
}
