"""A missing or malformed setting stops the start with one line that names it."""

from pathlib import Path

import pytest

from config.forms import RateLimit, parse_duration
from config.settings import Settings, SettingsError
from tasks.download import Downloader

REQUIRED = {
    "DATABASE_URL": "postgresql://darkroom@db/darkroom",
    "REDIS_URL": "redis://:secret@redis/0",
    "SECRET_KEY": "sixteen-or-more-characters",
    "REPLICATE_API_TOKEN": "r8_token",
    "METRICS_TOKEN": "metrics-token",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with what is required, and nothing of the tests' own."""
    monkeypatch.delenv("SANDBOX", raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_defaults_are_those_of_the_readme(environment: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment()

    assert settings.replicate_rate_limit == RateLimit(5, 30.0)
    assert settings.replicate_min_spacing == 1.0
    assert settings.credits_per_image == 15
    assert settings.refund_failed is False


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment()

    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://db/darkroom"),
        ("DATABASE_URL", "sqlite://"),
        ("REDIS_URL", "http://redis"),
        ("SECRET_KEY", "short"),
        ("REPLICATE_API_TOKEN", "r8_token with a space"),
        ("REPLICATE_BASE_URL", "api.replicate.com"),
        ("REPLICATE_MODEL", "nano-banana"),
        ("REPLICATE_RATE_LIMIT", "5 per 30s"),
        ("REPLICATE_RATE_LIMIT", "0/30s"),
        ("REPLICATE_RATE_LIMIT", "5/0s"),
        ("REPLICATE_MIN_SPACING", "1"),
        ("PREDICTION_DEADLINE", "1s"),
        ("POLL_INTERVAL", "1h"),
        ("RETRY_PAUSE", "0s"),
        ("SWEEP_INTERVAL", "10m"),
        ("PUBLIC_BASE_URL", "darkroom.example"),
        ("WAITING_EXPIRES_AFTER", "0s"),
        ("REPLICATE_WEBHOOK_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("REPLICATE_WEBHOOK_SECRET", "whsec_"),
        ("REPLICATE_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_not base64"),
        ("STORAGE_URL", "/results"),
        ("CATALOGUE_URL", "https://shop.example/products.json"),
        ("CATALOGUE_URL", "wix+https://www.wixapis.com"),
        ("WIX_APP_SECRET", "a secret with spaces"),
        ("RESULT_MAX_BYTES", "0"),
        ("CREDITS_PER_IMAGE", "fifteen"),
        ("REFUND_FAILED", "perhaps"),
        ("ALLOW_PRIVATE_IMAGE_URLS", "perhaps"),
        ("API_RATE_LIMIT", "600"),
        ("CORS_ORIGINS", "https://*.shop.example"),
        ("CORS_ORIGINS", "shop.example"),
        ("FLOWER_BASIC_AUTH", "only-a-user"),
        ("WORKER_CONCURRENCY", "-1"),
        ("LOG_LEVEL", "CHATTY"),
        ("SENTRY_DSN", "sentry.example"),
        ("HTTPS_PROXY", "proxy:3128"),
        ("https_proxy", "socks5://proxy.example:1080"),
        ("HTTP_PROXY", "http://proxy.example:port"),
        ("http_proxy", "http://user:pass#word@proxy.example:3128"),
        ("http_proxy", "http://"),
        ("http_proxy", "http://proxy.example:3128\n"),
    ],
)
def test_nonsense_is_refused_and_named(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment()

    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("proxy", ["", "http://proxy:3128", "https://user:word@[::1]:3128/"])
def test_a_proxy_may_be_named(environment: pytest.MonkeyPatch, proxy: str) -> None:
    environment.setenv("HTTPS_PROXY", proxy)
    environment.setenv("http_proxy", proxy)

    settings = Settings.from_environment()

    # The clients can be made with it.
    Downloader(settings).close()


def test_what_a_wrong_proxy_holds_is_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "socks5://user:password@proxy:1080")

    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment()

    assert "password" not in str(refusal.value)


def test_a_secret_can_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("r8_from_a_file\n")
    environment.delenv("REPLICATE_API_TOKEN")
    environment.setenv("REPLICATE_API_TOKEN_FILE", str(secret))

    assert Settings.from_environment().replicate_api_token == "r8_from_a_file"


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("10m", 600), ("24h", 86400), ("7d", 604800)]
)
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "1e3s", "30 s", "9999999999s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
