"""What the text of a setting may look like: each function reads one form, or says what is wrong."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from environs import FileAwareEnv

SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `count` predictions created in any `window` seconds."""

    count: int
    window: float

    def __str__(self) -> str:
        return f"{self.count}/{self.window:g}s"


def parse_duration(text: str) -> float:
    """Return the seconds that a text like `500ms`, `30s`, `10m`, `24h` or `7d` means.

    Raises `ValueError` when it is none.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write it like 500ms, 30s, 10m or 24h")
    return float(match[1]) * SECONDS_PER_UNIT[match[2]]


def duration(env: FileAwareEnv, name: str, default: str) -> float:
    try:
        return parse_duration(env.str(name, default))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def optional_duration(env: FileAwareEnv, name: str, at_least: float) -> float | None:
    """None where nothing is set: for good."""
    if not env.str(name, ""):
        return None
    seconds = duration(env, name, "")
    if seconds < at_least:
        raise ValueError(f"{name}: must be {at_least:g}s or more, or empty")
    return seconds


def rate(name: str, text: str) -> RateLimit:
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


def url(name: str, text: str, schemes: set[str]) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"{name}: must be a URL that begins with {' or '.join(sorted(schemes))}")
    return text


def optional_url(name: str, text: str) -> str:
    return url(name, text, {"http", "https"}).rstrip("/") if text else ""


def check_proxies(environment: Mapping[str, str]) -> None:
    """Every client of ours reads these, and with one that is wrong it could never be made. Their
    values are not shown: they may hold a password."""
    for name, text in environment.items():
        if text and name.lower() in {"http_proxy", "https_proxy"} and not is_proxy(text):
            raise ValueError(f"{name}: must be like http://proxy.example:3128")


def is_proxy(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    plain = text.isprintable() and " " not in text
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def database_url(name: str, text: str) -> str:
    if not re.match(r"(postgresql(\+psycopg)?://|sqlite:///.)", text):
        raise ValueError(f"{name}: must begin with postgresql:// or sqlite:/// and a file")
    return text


def storage_url(name: str, text: str) -> str:
    if not re.match(r"(file:///|s3://|gs://|az://).", text):
        raise ValueError(f"{name}: must begin with file:///, s3://, gs:// or az://")
    return text


def catalogue_url(name: str, text: str, connected: bool) -> str:
    """A file of products, or a Wix app's access to its shops: the scheme says which."""
    if text and not re.match(r"(file:///.|wix\+https?://.)", text):
        raise ValueError(f"{name}: must begin with file:/// or be wix+https://www.wixapis.com")
    if text.startswith("wix") and not connected:
        raise ValueError(f"{name}: Wix needs WIX_APP_ID and WIX_APP_SECRET as well")
    return text


def model(name: str, text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*", text):
        raise ValueError(f"{name}: must be owner/name, like google/nano-banana")
    return text


def secret(name: str, text: str, at_least: int = 1) -> str:
    """A secret with a stray space or newline would be printed whole by some clients: refuse it."""
    if len(text) < at_least or not re.fullmatch(r"[\x21-\x7e]*", text):
        raise ValueError(f"{name}: must be {at_least} or more visible ASCII characters")
    return text


def webhook_secrets(name: str, texts: list[str]) -> tuple[str, ...]:
    """Several of them while a secret is being rotated: a webhook may be signed with any."""
    for text in texts:
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not text.startswith("whsec_") or not key:
            raise ValueError(f"{name}: must be whsec_ and base64; several with commas between")
    return tuple(texts)


def required_outside_sandbox(name: str, text: str, sandbox: bool) -> str:
    if not text and sandbox:
        return ""
    return secret(name, text)


def basic_auth(name: str, text: str) -> str:
    if text and not re.fullmatch(r"[^:\s,]+:[^\s,]+", text):
        raise ValueError(f"{name}: must be user:password")
    return text


def origins(name: str, texts: list[str]) -> tuple[str, ...]:
    """Only plain origins: Flask-CORS would read anything else as a pattern, dots included."""
    for text in texts:
        if text != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", text):
            raise ValueError(f"{name}: must be origins like https://shop.example, by commas, or *")
    return tuple(texts)


def positive(name: str, number: int) -> int:
    if number < 1:
        raise ValueError(f"{name}: must be 1 or more")
    return number


def between(name: str, number: float, low: float, high: float) -> float:
    if not low <= number <= high:
        raise ValueError(f"{name}: must be between {low:g}s and {high:g}s")
    return number


def one_of(name: str, text: str, allowed: set[str]) -> str:
    if text not in allowed:
        raise ValueError(f"{name}: must be one of {', '.join(sorted(allowed))}")
    return text
