"""The secret that Replicate signs webhooks with, asked for once when the API starts."""

from config.settings import Settings, SettingsError
from tasks.provider_errors import ProviderError
from tasks.replicate import Replicate


def webhook_secret(settings: Settings) -> str:
    """Return the account's secret; `SettingsError` says why it could not be had."""
    replicate = Replicate(settings, on_call=lambda _function, _outcome, _seconds: None)
    try:
        return replicate.webhook_secret()
    except ProviderError as error:
        raise SettingsError(
            "REPLICATE_WEBHOOK_SECRET: is not set, and Replicate could not be asked for it"
            f" ({error.outcome}: {error.detail}); without PUBLIC_BASE_URL it is not needed"
        ) from error
    finally:
        replicate.close()
