"""Which addresses may get webhooks: those that may name an image, by https.

What is sent names products and results, so nobody on the way may read it. Where private networks
are allowed (the sandbox), plain http is too.
"""

from tasks import image_urls

LONGEST = image_urls.LONGEST
# For readers of the OpenAPI document.
PATTERN = image_urls.PATTERN.replace("[Ss]?", "[Ss]", 1)


def fault_of(url: str, private_too: bool) -> str | None:
    """Return the sentence that says why nothing is sent to `url`, or None if it may be."""
    if not private_too and url[:8].lower() != "https://":
        return "Must be an https URL."
    return image_urls.fault_of(url, private_too)
