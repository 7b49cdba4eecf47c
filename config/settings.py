"""Settings, read once from the environment at the start of each process.

A secret can also come from a file: `NAME_FILE` names it (Docker secrets). A missing or malformed
setting stops the start with one line that names it.
"""

import os
from dataclasses import dataclass, field

from environs import EnvError, FileAwareEnv

from config.forms import (
    RateLimit,
    basic_auth,
    between,
    catalogue_url,
    check_proxies,
    database_url,
    duration,
    model,
    one_of,
    optional_duration,
    optional_url,
    origins,
    positive,
    rate,
    required_outside_sandbox,
    secret,
    storage_url,
    url,
    webhook_secrets,
)
from config.offers import Offer, read_offers


class SettingsError(Exception):
    """A setting is missing or malformed; the message names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set. Durations are seconds, sizes are bytes.

    What holds a secret does not show when this is printed.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    replicate_api_token: str = field(repr=False)
    replicate_base_url: str = "https://api.replicate.com"
    replicate_model: str = "google/nano-banana"
    replicate_models: tuple[Offer, ...] = ()
    replicate_rate_limit: RateLimit = field(default=RateLimit(5, 30.0))
    replicate_min_spacing: float = 1.0
    prediction_deadline: float = 600.0
    poll_interval: float = 2.0
    retry_pause: float = 10.0
    sweep_interval: float = 30.0
    waiting_expires_after: float = 86_400.0
    public_base_url: str = ""
    replicate_webhook_secret: tuple[str, ...] = field(default=(), repr=False)
    storage_url: str = "file:///var/lib/darkroom/results"
    result_max_bytes: int = 50 * 2**20
    result_retention: float | None = None
    upload_max_bytes: int = 20 * 2**20
    uploads_expire_after: float = 86_400.0
    reuse_results_for: float = 30 * 86_400.0
    allow_private_webhook_urls: bool = False
    credits_per_image: int = 15
    refund_failed: bool = False
    allow_private_image_urls: bool = False
    api_rate_limit: RateLimit = field(default=RateLimit(600, 60.0))
    cors_origins: tuple[str, ...] = ()
    catalogue_url: str = ""
    wix_app_id: str = ""
    wix_app_secret: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)
    flower_basic_auth: str = field(default="", repr=False)
    worker_concurrency: int = 10
    log_level: str = "INFO"
    sentry_dsn: str = field(default="", repr=False)
    sandbox: bool = False

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Every model that may be ordered; the first is what an order that names none gets."""
        of_default = [each for each in self.replicate_models if each.model == self.replicate_model]
        first = of_default or [Offer(self.replicate_model, None, self.credits_per_image)]
        return (*first, *(each for each in self.replicate_models if each not in of_default))

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings from the process's environment.

        Raises `SettingsError` with one line that names the first wrong setting.
        """
        env = FileAwareEnv(strip_whitespace=True)
        try:
            check_proxies(os.environ)
            return _read(env, cls)
        except (EnvError, ValueError) as error:
            raise SettingsError(" ".join(str(error).split())) from error


def _read(env: FileAwareEnv, settings: type[Settings]) -> Settings:
    """Read and check each setting in turn."""
    sandbox = env.bool("SANDBOX", False)
    return settings(
        database_url=database_url("DATABASE_URL", env.str("DATABASE_URL")),
        redis_url=url("REDIS_URL", env.str("REDIS_URL"), {"redis", "rediss"}),
        secret_key=secret("SECRET_KEY", env.str("SECRET_KEY"), at_least=16),
        replicate_api_token=secret("REPLICATE_API_TOKEN", env.str("REPLICATE_API_TOKEN")),
        replicate_base_url=url(
            "REPLICATE_BASE_URL",
            env.str("REPLICATE_BASE_URL", "https://api.replicate.com"),
            {"http", "https"},
        ).rstrip("/"),
        replicate_model=model("REPLICATE_MODEL", env.str("REPLICATE_MODEL", "google/nano-banana")),
        replicate_models=read_offers("REPLICATE_MODELS", env.list("REPLICATE_MODELS", [])),
        replicate_rate_limit=rate("REPLICATE_RATE_LIMIT", env.str("REPLICATE_RATE_LIMIT", "5/30s")),
        replicate_min_spacing=duration(env, "REPLICATE_MIN_SPACING", "1s"),
        prediction_deadline=between(
            "PREDICTION_DEADLINE", duration(env, "PREDICTION_DEADLINE", "10m"), 5, 86_400
        ),
        poll_interval=between("POLL_INTERVAL", duration(env, "POLL_INTERVAL", "2s"), 0.1, 30),
        retry_pause=between("RETRY_PAUSE", duration(env, "RETRY_PAUSE", "10s"), 0.1, 3600),
        sweep_interval=between("SWEEP_INTERVAL", duration(env, "SWEEP_INTERVAL", "30s"), 1, 30),
        waiting_expires_after=between(
            "WAITING_EXPIRES_AFTER", duration(env, "WAITING_EXPIRES_AFTER", "24h"), 1, 31_536_000
        ),
        public_base_url=optional_url("PUBLIC_BASE_URL", env.str("PUBLIC_BASE_URL", "")),
        replicate_webhook_secret=webhook_secrets(
            "REPLICATE_WEBHOOK_SECRET", env.list("REPLICATE_WEBHOOK_SECRET", [])
        ),
        storage_url=storage_url(
            "STORAGE_URL", env.str("STORAGE_URL", "file:///var/lib/darkroom/results")
        ),
        result_max_bytes=positive("RESULT_MAX_BYTES", env.int("RESULT_MAX_BYTES", 50 * 2**20)),
        result_retention=optional_duration(env, "RESULT_RETENTION", at_least=86_400),
        upload_max_bytes=positive("UPLOAD_MAX_BYTES", env.int("UPLOAD_MAX_BYTES", 20 * 2**20)),
        uploads_expire_after=between(
            "UPLOADS_EXPIRE_AFTER", duration(env, "UPLOADS_EXPIRE_AFTER", "24h"), 60, 31_536_000
        ),
        reuse_results_for=between(
            "REUSE_RESULTS_FOR", duration(env, "REUSE_RESULTS_FOR", "30d"), 0, 31_536_000
        ),
        allow_private_webhook_urls=env.bool("ALLOW_PRIVATE_WEBHOOK_URLS", False),
        credits_per_image=positive("CREDITS_PER_IMAGE", env.int("CREDITS_PER_IMAGE", 15)),
        refund_failed=env.bool("REFUND_FAILED", False),
        allow_private_image_urls=env.bool("ALLOW_PRIVATE_IMAGE_URLS", False),
        api_rate_limit=rate("API_RATE_LIMIT", env.str("API_RATE_LIMIT", "600/1m")),
        cors_origins=origins("CORS_ORIGINS", env.list("CORS_ORIGINS", [])),
        catalogue_url=catalogue_url(
            "CATALOGUE_URL",
            env.str("CATALOGUE_URL", ""),
            connected=bool(env.str("WIX_APP_ID", "") and env.str("WIX_APP_SECRET", "")),
        ),
        wix_app_id=secret("WIX_APP_ID", env.str("WIX_APP_ID", ""), at_least=0),
        wix_app_secret=secret("WIX_APP_SECRET", env.str("WIX_APP_SECRET", ""), at_least=0),
        metrics_token=required_outside_sandbox(
            "METRICS_TOKEN", env.str("METRICS_TOKEN", ""), sandbox
        ),
        flower_basic_auth=basic_auth("FLOWER_BASIC_AUTH", env.str("FLOWER_BASIC_AUTH", "")),
        worker_concurrency=positive("WORKER_CONCURRENCY", env.int("WORKER_CONCURRENCY", 10)),
        log_level=one_of(
            "LOG_LEVEL",
            env.str("LOG_LEVEL", "INFO").upper(),
            {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"},
        ),
        sentry_dsn=optional_url("SENTRY_DSN", env.str("SENTRY_DSN", "")),
        sandbox=sandbox,
    )
