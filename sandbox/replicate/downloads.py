"""What anybody may fetch: results, uploaded files, the demo shop's photographs."""

import asyncio

from tornado.iostream import StreamClosedError

from sandbox import shop
from sandbox.replicate.answers import NOT_FOUND, Answer, json_answer
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.outputs import OutputFile


class Output(Endpoint):
    """`/output/{random}/out.jpg`."""

    name = "output"
    private = False

    async def get(self, key: str) -> None:
        """Send the result file."""
        self.padding = 0

        async def act() -> Answer:
            file = self.world.outputs.get(key)
            return self._shown(file) if file else NOT_FOUND

        await self.serve(act)

    def _shown(self, file: OutputFile) -> Answer:
        self.padding = file.padding
        return Answer(200, file.body, file.content_type)

    async def send(self, answer: Answer) -> None:
        """Write the file, and after it its padding in pieces: it is never whole in memory."""
        if not self.padding or answer.status != 200:
            return await super().send(answer)
        self.set_header("Content-Type", answer.content_type)
        self.set_header("Content-Length", len(answer.body) + self.padding)
        try:
            await self._write_padded(answer.body)
        except StreamClosedError:
            return None
        return None

    async def _write_padded(self, body: bytes) -> None:
        self.write(body)
        for start in range(0, self.padding, 2**16):
            self.write(bytes(min(2**16, self.padding - start)))
            await self.flush()
        await self.finish()


class FileContent(Endpoint):
    """`/files/{id}/{name}`: what `urls.get` of an uploaded file leads to."""

    name = "output"
    private = False

    async def get(self, id: str) -> None:
        """Send the uploaded file."""

        async def act() -> Answer:
            file = self.world.files.get(id)
            return Answer(200, file.content, file.content_type) if file else NOT_FOUND

        await self.serve(act)


class Products(Endpoint):
    """`/shop/products.json`."""

    private = False

    async def get(self) -> None:
        """Show the demo shop's products."""

        async def act() -> Answer:
            return json_answer(200, shop.product_list(self.base))

        await self.serve(act)


class Photograph(Endpoint):
    """`/shop/{product}/{view}.jpg`."""

    private = False

    async def get(self, product: str, view: str) -> None:
        """Send a photograph of the demo shop."""

        async def act() -> Answer:
            run = asyncio.get_running_loop().run_in_executor
            picture = await run(None, shop.picture, product, view)
            return Answer(200, picture, "image/jpeg") if picture else NOT_FOUND

        await self.serve(act)
