"""Whether Replicate's webhooks are used, and the address that one comes to."""

from config.settings import Settings

# The attempt's reference follows: nobody else knows the whole path.
PATH = "/api/webhooks/replicate/"


def used(settings: Settings) -> bool:
    """Replicate can only call a service that has a public address."""
    return bool(settings.public_base_url)


def address(settings: Settings, reference: str) -> str | None:
    """Where Replicate is to tell of the end of an attempt's prediction, if anywhere."""
    return f"{settings.public_base_url}{PATH}{reference}" if used(settings) else None
