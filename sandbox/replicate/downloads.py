"""What anybody may fetch: results, uploaded files, the demo shop's photographs."""

import asyncio

from sandbox import shop
from sandbox.replicate.answers import NOT_FOUND, Answer, json_answer
from sandbox.replicate.endpoint import Endpoint


class Output(Endpoint):
    """`/output/{random}/out.jpg`."""

    name = "output"
    private = False

    async def get(self, key: str) -> None:
        """Send the result file."""

        async def act() -> Answer:
            return self.world.outputs.get(key) or NOT_FOUND

        await self.serve(act)


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
