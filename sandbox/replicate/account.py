"""The endpoints beside predictions and files: the model, the webhook secret, the account."""

from typing import Any

from sandbox.replicate.answers import NOT_FOUND, Answer, json_answer
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.models import MODELS, Model


class ModelInfo(Endpoint):
    """`/v1/models/{owner}/{name}`."""

    name = "model"

    async def get(self, model: str) -> None:
        """Show a model."""

        async def act() -> Answer:
            known = MODELS.get(model)
            return json_answer(200, self._document(model, known)) if known else NOT_FOUND

        await self.serve(act)

    def _document(self, model: str, known: Model) -> dict[str, Any]:
        owner, name = model.split("/")
        return {
            "url": f"{self.base}/{model}",
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
                "created_at": f"{known.since}T00:00:00.000000Z",
                "cog_version": "0.16.0",
                "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": _schemas(known)}},
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


def _schemas(model: Model) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "prompt": {"type": "string", "description": "What to do with the image."},
        "image_input": {"type": "array", "items": {"type": "string", "format": "uri"}},
        "aspect_ratio": {
            "type": "string",
            "enum": list(model.ratios),
            "default": model.ratios[0],
        },
        "output_format": {"type": "string", "enum": ["jpg", "png"], "default": "jpg"},
    }
    if model.resolution:
        some = list(model.resolutions)
        fields["resolution"] = {"type": "string", "enum": some, "default": model.resolution}
    return {
        "Input": {"type": "object", "required": ["prompt"], "properties": fields},
        "Output": {"type": "string", "format": "uri"},
    }
