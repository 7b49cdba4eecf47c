"""The examples of docs/webhooks.md verify what is sent, and nothing else."""

import base64
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import playwright

from tasks.courier import signed
from tests.compose import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()
NEW, OLD, OTHER = (f"whsec_{base64.b64encode(bytes([n] * 32)).decode()}" for n in (1, 2, 3))
BODY = '{"type":"test","data":{"name":"Grüne Tasse"}}'
Case = tuple[str, dict[str, str], str, bool]
# The one that comes with the browser tests.
NODE = Path(playwright.__file__).parent / "driver" / "node"
ASK = """
import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";
const cases = JSON.parse(readFileSync(0, "utf8"));
const found = cases.map(([secret, headers, body]) => verify(secret, headers, Buffer.from(body)));
console.log(JSON.stringify(found));
"""


def cases() -> list[Case]:
    """Secret, headers, body, and whether they are right."""
    now = datetime.now(UTC)
    sent = signed("msg_1", now, BODY, [NEW, OLD])
    late = signed("msg_1", now - timedelta(seconds=400), BODY, [NEW])
    return [
        (NEW, sent, BODY, True),
        (OLD, sent, BODY, True),
        (OTHER, sent, BODY, False),
        (NEW, sent, BODY + " ", False),
        (NEW, sent | {"webhook-id": "msg_2"}, BODY, False),
        (NEW, late, BODY, False),
    ]


def example(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert match
    return match[1]


def test_the_python_example_verifies() -> None:
    names: dict[str, Any] = {}
    exec(example("python"), names)
    told = cases()

    found = [names["verify"](secret, head, body.encode()) for secret, head, body, _ in told]

    assert found == [right for *_, right in told]


def test_the_javascript_example_verifies(tmp_path: Path) -> None:
    (tmp_path / "verify.mjs").write_text(example("js"))
    (tmp_path / "ask.mjs").write_text(ASK)
    told = cases()

    asked = subprocess.run(
        [NODE, tmp_path / "ask.mjs"], input=json.dumps(told), capture_output=True, text=True,
        check=True, timeout=30,
    )  # fmt: skip

    assert json.loads(asked.stdout) == [right for *_, right in told]
