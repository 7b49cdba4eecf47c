"""The endpoints beside predictions: the model, uploaded files, the webhook secret, the account."""

import json
from typing import Any

from tornado.web import MissingArgumentError

from sandbox.replicate.answers import NOT_FOUND, Answer, Refusal, json_answer, problem
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.files import UploadedFile
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


class FileList(Endpoint):
    """`/v1/files`."""

    name = "files"

    async def get(self) -> None:
        """Show all files, newest first."""

        async def act() -> Answer:
            rows = [file.document() for file in self.world.files.newest_first()]
            return json_answer(200, {"next": None, "previous": None, "results": rows})

        await self.serve(act)

    async def post(self) -> None:
        """Keep the file of the form's field `content`."""

        async def act() -> Answer:
            file = self._uploaded()
            self.world.files.add(file)
            return json_answer(201, file.document())

        await self.serve(act)

    def _uploaded(self) -> UploadedFile:
        parts = self.request.files.get("content", [])
        if len(parts) != 1:
            raise Refusal(problem(400, "The form needs one file named content."))
        part = parts[0]
        return UploadedFile(
            base=self.base,
            name=part.filename.rsplit("/", 1)[-1] or "file",
            content_type=part.content_type,
            content=part.body,
            metadata=self._metadata(),
        )

    def _metadata(self) -> dict[str, Any]:
        try:
            metadata = json.loads(self.get_body_argument("metadata"))
        except MissingArgumentError:
            return {}
        except ValueError:
            metadata = None
        if not isinstance(metadata, dict):
            raise Refusal(problem(400, "metadata is not a JSON object."))
        return metadata


class OneFile(Endpoint):
    """`/v1/files/{id}`."""

    name = "files"

    async def get(self, id: str) -> None:
        """Show the file."""

        async def act() -> Answer:
            file = self.world.files.get(id)
            return json_answer(200, file.document()) if file else NOT_FOUND

        await self.serve(act)

    async def delete(self, id: str) -> None:
        """Delete the file."""

        async def act() -> Answer:
            return Answer(204, b"") if self.world.files.delete(id) else NOT_FOUND

        await self.serve(act)


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
