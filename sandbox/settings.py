"""What the service's processes are told by their environment."""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from sandbox.folder import Folder
from sandbox.shop import product_list

REPLICATE = "https://api.replicate.com"
# Those that the stand-in knows besides, with prices for a demo.
FURTHER_MODELS = (
    "google/nano-banana-pro@1K=60,google/nano-banana-pro@2K=60,google/nano-banana-pro@4K=120,"
    "google/nano-banana-2@1K=30,google/nano-banana-2@2K=45,google/nano-banana-2@4K=60"
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is. `stand_in` is empty when a real token is used."""

    api: str
    flower: str
    flower_auth: str
    replicate: str
    stand_in: str
    database: str
    redis: str


def has_own_token() -> bool:
    """Whether the real Replicate (or another one at `REPLICATE_BASE_URL`) is meant."""
    return any(os.environ.get(f"REPLICATE_API_TOKEN{end}") for end in ("", "_FILE"))


def addresses(folder: Folder, api_port: int, ports: dict[str, int]) -> Addresses:
    """Put the addresses together from the ports and the secrets of the folder."""
    stand_in = "" if has_own_token() else f"http://127.0.0.1:{ports['replicate']}"
    return Addresses(
        api=f"http://127.0.0.1:{api_port}",
        flower=f"http://127.0.0.1:{ports['flower']}",
        flower_auth=f"demo:{folder.secret('flower')}",
        replicate=stand_in or os.environ.get("REPLICATE_BASE_URL") or REPLICATE,
        stand_in=stand_in,
        database=folder.database_url,
        redis=f"redis://:{folder.secret('valkey')}@127.0.0.1:{ports['valkey']}/0",
    )


def own_settings(folder: Folder, where: Addresses) -> dict[str, str]:
    """The settings that the sandbox makes itself."""
    own = {
        "DATABASE_URL": where.database,
        "REDIS_URL": where.redis,
        "SECRET_KEY": folder.secret("secret_key"),
        "STORAGE_URL": folder.storage_url,
        "FLOWER_BASIC_AUTH": where.flower_auth,
        "REPLICATE_BASE_URL": where.replicate,
        "SANDBOX": "true",
        "ALLOW_PRIVATE_IMAGE_URLS": "true",  # the demo photographs are on 127.0.0.1
        "ALLOW_PRIVATE_WEBHOOK_URLS": "true",
    }
    if where.stand_in:
        own["REPLICATE_API_TOKEN"] = "r8_of-the-stand-in"  # noqa: S105  it opens nothing
        own["REPLICATE_MODELS"] = os.environ.get("REPLICATE_MODELS") or FURTHER_MODELS
        own["CATALOGUE_URL"] = demo_catalogue(folder, where).as_uri()
    return own


def demo_catalogue(folder: Folder, where: Addresses) -> Path:
    """Write the demo products into the folder, at each start: the stand-in's port may have changed.

    The real Replicate could not fetch their photographs from this machine.
    """
    return folder.write("products.json", json.dumps(product_list(where.stand_in), indent=2))


def environment(own: dict[str, str]) -> dict[str, str]:
    """What is set in the caller's environment holds, but the sandbox keeps to its own data.

    A DATABASE_URL that a shell happens to hold must not be migrated and filled by a demo; the same
    goes for one that comes from a file.
    """
    files = {f"{name}_FILE" for name in own}
    callers = {name: text for name, text in os.environ.items() if name not in files}
    return callers | own | {"PYTHONUNBUFFERED": "1"}


def write_settings(folder: Folder, own: dict[str, str]) -> None:
    """Let a shell take them from `settings.env`, to run the command line beside the processes."""
    lines = (f"{name}={shlex.quote(text)}\n" for name, text in own.items())
    folder.write("settings.env", "".join(lines))
