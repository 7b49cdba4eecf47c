"""The endpoints beside predictions and files: the model, the webhook secret, the account."""

from typing import Any

from sandbox.replicate.answers import NOT_FOUND, Answer, json_answer
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.orders import RATIOS
from sandbox.replicate.predictions import MODEL

FIELDS: dict[str, Any] = {
    "prompt": {"type": "string", "description": "What to do with the image."},
    "image_input": {"type": "array", "items": {"type": "string", "format": "uri"}},
    "aspect_ratio": {"type": "string", "enum": list(RATIOS), "default": RATIOS[0]},
    "output_format": {"type": "string", "enum": ["jpg", "png"], "default": "jpg"},
}
SCHEMAS = {
    "Input": {"type": "object", "required": ["prompt"], "properties": FIELDS},
    "Output": {"type": "string", "format": "uri"},
}


class ModelInfo(Endpoint):
    """`/v1/models/{owner}/{name}`."""

    name = "model"

    async def get(self, model: str) -> None:
        """Show the one model that there is."""

        async def act() -> Answer:
            return json_answer(200, self._document()) if model == MODEL else NOT_FOUND

        await self.serve(act)

    def _document(self) -> dict[str, Any]:
        owner, name = MODEL.split("/")
        return {
            "url": f"{self.base}/{MODEL}",
            "owner": owner,
            "name": name,
            "description": "A stand-in for the real model: it follows a few words of the prompt.",
            "visibility": "public",
            "is_official": True,
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": len(self.world.record.creates),
            "cover_image_url": None,
            "default_example": None,
            "latest_version": {
                "id": "hidden",
                "created_at": "2025-08-26T00:00:00.000000Z",
                "cog_version": "0.16.0",
                "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": SCHEMAS}},
            },
        }


class Secret(Endpoint):
    """`/v1/webhooks/default/secret`."""

    name = "secret"

    async def get(self) -> None:
        """Show the secret that webhooks are signed with."""

        async def act() -> Answer:
            return json_answer(200, {"key": self.world.post.secret})

        await self.serve(act)


class Account(Endpoint):
    """`/v1/account`."""

    name = "account"

    async def get(self) -> None:
        """Show whose token it is: everybody is the same."""

        async def act() -> Answer:
            who = {"type": "organization", "username": "stand-in", "name": "Stand-in"}
            return json_answer(200, {**who, "github_url": None})

        await self.serve(act)
