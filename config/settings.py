"""Settings, read once from the environment at the start of each process.

A secret can also come from a file: `NAME_FILE` names it (Docker secrets). A missing or malformed
setting stops the start with one line that names it.
"""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from environs import EnvError, FileAwareEnv

SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class SettingsError(Exception):
    """A setting is missing or malformed; the message names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `count` predictions created in any `window` seconds."""

    count: int
    window: float

    def __str__(self) -> str:
        return f"{self.count}/{self.window:g}s"


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
    replicate_rate_limit: RateLimit = RateLimit(5, 30.0)
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
    credits_per_image: int = 15
    refund_failed: bool = False
    allow_private_image_urls: bool = False
    api_rate_limit: RateLimit = RateLimit(600, 60.0)
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

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings from the process's environment.

        Raises `SettingsError` with one line that names the first wrong setting.
        """
        env = FileAwareEnv(strip_whitespace=True)
        try:
            _check_proxies(os.environ)
            return _read(env, cls)
        except (EnvError, ValueError) as error:
            raise SettingsError(" ".join(str(error).split())) from error


def _read(env: FileAwareEnv, settings: type[Settings]) -> Settings:
    """Read and check each setting in turn."""
    sandbox = env.bool("SANDBOX", False)
    return settings(
        database_url=_database_url("DATABASE_URL", env.str("DATABASE_URL")),
        redis_url=_url("REDIS_URL", env.str("REDIS_URL"), {"redis", "rediss"}),
        secret_key=_secret("SECRET_KEY", env.str("SECRET_KEY"), at_least=16),
        replicate_api_token=_secret("REPLICATE_API_TOKEN", env.str("REPLICATE_API_TOKEN")),
        replicate_base_url=_url(
            "REPLICATE_BASE_URL",
            env.str("REPLICATE_BASE_URL", "https://api.replicate.com"),
            {"http", "https"},
        ).rstrip("/"),
        replicate_model=_model("REPLICATE_MODEL", env.str("REPLICATE_MODEL", "google/nano-banana")),
        replicate_rate_limit=_rate(
            "REPLICATE_RATE_LIMIT", env.str("REPLICATE_RATE_LIMIT", "5/30s")
        ),
        replicate_min_spacing=_duration(env, "REPLICATE_MIN_SPACING", "1s"),
        prediction_deadline=_between(
            "PREDICTION_DEADLINE", _duration(env, "PREDICTION_DEADLINE", "10m"), 5, 86_400
        ),
        poll_interval=_between("POLL_INTERVAL", _duration(env, "POLL_INTERVAL", "2s"), 0.1, 30),
        retry_pause=_between("RETRY_PAUSE", _duration(env, "RETRY_PAUSE", "10s"), 0.1, 3600),
        sweep_interval=_between("SWEEP_INTERVAL", _duration(env, "SWEEP_INTERVAL", "30s"), 1, 30),
        waiting_expires_after=_between(
            "WAITING_EXPIRES_AFTER", _duration(env, "WAITING_EXPIRES_AFTER", "24h"), 1, 31_536_000
        ),
        public_base_url=_optional_url("PUBLIC_BASE_URL", env.str("PUBLIC_BASE_URL", "")),
        replicate_webhook_secret=_webhook_secrets(
            "REPLICATE_WEBHOOK_SECRET", env.list("REPLICATE_WEBHOOK_SECRET", [])
        ),
        storage_url=_storage_url(
            "STORAGE_URL", env.str("STORAGE_URL", "file:///var/lib/darkroom/results")
        ),
        result_max_bytes=_positive("RESULT_MAX_BYTES", env.int("RESULT_MAX_BYTES", 50 * 2**20)),
        credits_per_image=_positive("CREDITS_PER_IMAGE", env.int("CREDITS_PER_IMAGE", 15)),
        refund_failed=env.bool("REFUND_FAILED", False),
        allow_private_image_urls=env.bool("ALLOW_PRIVATE_IMAGE_URLS", False),
        api_rate_limit=_rate("API_RATE_LIMIT", env.str("API_RATE_LIMIT", "600/1m")),
        cors_origins=_origins("CORS_ORIGINS", env.list("CORS_ORIGINS", [])),
        catalogue_url=_catalogue_url(
            "CATALOGUE_URL",
            env.str("CATALOGUE_URL", ""),
            connected=bool(env.str("WIX_APP_ID", "") and env.str("WIX_APP_SECRET", "")),
        ),
        wix_app_id=_secret("WIX_APP_ID", env.str("WIX_APP_ID", ""), at_least=0),
        wix_app_secret=_secret("WIX_APP_SECRET", env.str("WIX_APP_SECRET", ""), at_least=0),
        metrics_token=_required_outside_sandbox(
            "METRICS_TOKEN", env.str("METRICS_TOKEN", ""), sandbox
        ),
        flower_basic_auth=_basic_auth("FLOWER_BASIC_AUTH", env.str("FLOWER_BASIC_AUTH", "")),
        worker_concurrency=_positive("WORKER_CONCURRENCY", env.int("WORKER_CONCURRENCY", 10)),
        log_level=_one_of(
            "LOG_LEVEL",
            env.str("LOG_LEVEL", "INFO").upper(),
            {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"},
        ),
        sentry_dsn=_optional_url("SENTRY_DSN", env.str("SENTRY_DSN", "")),
        sandbox=sandbox,
    )


def parse_duration(text: str) -> float:
    """Return the seconds that a text like `500ms`, `30s`, `10m`, `24h` or `7d` means.

    Raises `ValueError` when it is none.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write it like 500ms, 30s, 10m or 24h")
    return float(match[1]) * SECONDS_PER_UNIT[match[2]]


def _duration(env: FileAwareEnv, name: str, default: str) -> float:
    try:
        return parse_duration(env.str(name, default))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _rate(name: str, text: str) -> RateLimit:
    count, slash, window = text.partition("/")
    if not slash or not re.fullmatch(r"[1-9]\d{0,5}", count):
        raise ValueError(f"{name}: {text!r} is not a rate: write it like 5/30s")
    try:
        seconds = parse_duration(window)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if seconds <= 0:
        raise ValueError(f"{name}: the window must be longer than nothing")
    return RateLimit(int(count), seconds)


def _url(name: str, text: str, schemes: set[str]) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"{name}: must be a URL that begins with {' or '.join(sorted(schemes))}")
    return text


def _optional_url(name: str, text: str) -> str:
    return _url(name, text, {"http", "https"}).rstrip("/") if text else ""


def _check_proxies(environment: Mapping[str, str]) -> None:
    """Every client of ours reads these, and with one that is wrong it could never be made. Their
    values are not shown: they may hold a password."""
    for name, text in environment.items():
        if text and name.lower() in {"http_proxy", "https_proxy"} and not _is_proxy(text):
            raise ValueError(f"{name}: must be like http://proxy.example:3128")


def _is_proxy(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    plain = text.isprintable() and " " not in text
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _database_url(name: str, text: str) -> str:
    if not re.match(r"(postgresql(\+psycopg)?://|sqlite:///.)", text):
        raise ValueError(f"{name}: must begin with postgresql:// or sqlite:/// and a file")
    return text


def _storage_url(name: str, text: str) -> str:
    if not re.match(r"(file:///|s3://|gs://|az://).", text):
        raise ValueError(f"{name}: must begin with file:///, s3://, gs:// or az://")
    return text


def _catalogue_url(name: str, text: str, connected: bool) -> str:
    """A file of products, or a Wix app's access to its shops: the scheme says which."""
    if text and not re.match(r"(file:///.|wix\+https?://.)", text):
        raise ValueError(f"{name}: must begin with file:/// or be wix+https://www.wixapis.com")
    if text.startswith("wix") and not connected:
        raise ValueError(f"{name}: Wix needs WIX_APP_ID and WIX_APP_SECRET as well")
    return text


def _model(name: str, text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*", text):
        raise ValueError(f"{name}: must be owner/name, like google/nano-banana")
    return text


def _secret(name: str, text: str, at_least: int = 1) -> str:
    """A secret with a stray space or newline would be printed whole by some clients: refuse it."""
    if len(text) < at_least or not re.fullmatch(r"[\x21-\x7e]*", text):
        raise ValueError(f"{name}: must be {at_least} or more visible ASCII characters")
    return text


def _webhook_secrets(name: str, texts: list[str]) -> tuple[str, ...]:
    """Several of them while a secret is being rotated: a webhook may be signed with any."""
    for text in texts:
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not text.startswith("whsec_") or not key:
            raise ValueError(f"{name}: must be whsec_ and base64; several with commas between")
    return tuple(texts)


def _required_outside_sandbox(name: str, text: str, sandbox: bool) -> str:
    if not text and sandbox:
        return ""
    return _secret(name, text)


def _basic_auth(name: str, text: str) -> str:
    if text and not re.fullmatch(r"[^:\s,]+:[^\s,]+", text):
        raise ValueError(f"{name}: must be user:password")
    return text


def _origins(name: str, texts: list[str]) -> tuple[str, ...]:
    """Only plain origins: Flask-CORS would read anything else as a pattern, dots included."""
    for text in texts:
        if text != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", text):
            raise ValueError(f"{name}: must be origins like https://shop.example, by commas, or *")
    return tuple(texts)


def _positive(name: str, number: int) -> int:
    if number < 1:
        raise ValueError(f"{name}: must be 1 or more")
    return number


def _between(name: str, number: float, low: float, high: float) -> float:
    if not low <= number <= high:
        raise ValueError(f"{name}: must be between {low:g}s and {high:g}s")
    return number


def _one_of(name: str, text: str, allowed: set[str]) -> str:
    if text not in allowed:
        raise ValueError(f"{name}: must be one of {', '.join(sorted(allowed))}")
    return text
