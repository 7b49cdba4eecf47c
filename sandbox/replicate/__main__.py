"""Start the stand-in for Replicate: `python -m sandbox.replicate --port 9000`."""

import argparse
import asyncio
import json

from marshmallow import ValidationError

from sandbox.replicate import failures
from sandbox.replicate.knobs import Knobs, turned
from sandbox.replicate.server import run
from sandbox.replicate.webhooks import new_secret
from sandbox.replicate.world import World


def main() -> None:
    """Read the options and serve until told to stop."""
    options = _parser().parse_args()
    asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    secret = options.webhook_secret or new_secret()
    await run(World(options.knobs, options.token, secret), options.host, options.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.replicate",
        description="A stand-in for Replicate on this machine. It is not Replicate: it follows a "
        "few words of the prompt with Pillow.",
        epilog=failures.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--token", help="the only token that is let in (default: any)")
    parser.add_argument("--webhook-secret", help="whsec_… (default: a fresh one)")
    parser.add_argument("--knobs", type=_knobs, default=Knobs(), help="as JSON, to start with")
    return parser


def _knobs(text: str) -> Knobs:
    try:
        return turned(Knobs(), json.loads(text))
    except (ValueError, ValidationError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
