"""The endpoints of uploaded files."""

import json
from typing import Any

from tornado.web import MissingArgumentError

from sandbox.replicate.answers import NOT_FOUND, Answer, Refusal, json_answer, problem
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.files import UploadedFile


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
