"""The stand-in as an HTTP server."""

import asyncio
import signal
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from sandbox.replicate import account, api, control, downloads
from sandbox.replicate.endpoint import Unknown
from sandbox.replicate.world import World

LARGEST_BODY = 110 * 2**20


def application(world: World) -> Application:
    """Return all endpoints on that state."""
    given = {"world": world}
    routes: list[tuple[str, type]] = [
        (r"/v1/models/([\w.-]+/[\w.-]+)/predictions", api.ModelPredictions),
        (r"/v1/predictions", api.PredictionList),
        (r"/v1/predictions/(\w+)", api.OnePrediction),
        (r"/v1/predictions/(\w+)/cancel", api.Cancel),
        (r"/v1/models/([\w.-]+/[\w.-]+)", account.ModelInfo),
        (r"/v1/files", account.FileList),
        (r"/v1/files/(\w+)", account.OneFile),
        (r"/v1/webhooks/default/secret", account.Secret),
        (r"/v1/account", account.Account),
        (r"/output/(\w+)/out\.(?:jpg|png)", downloads.Output),
        (r"/files/(\w+)/.*", downloads.FileContent),
        (r"/shop/products\.json", downloads.Products),
        (r"/shop/([\w-]+)/([\w-]+)\.jpg", downloads.Photograph),
        (r"/_control/knobs", control.Knobs),
        (r"/_control/reset", control.Reset),
        (r"/_control/requests", control.Requests),
        (r"/_control/creates", control.Creates),
    ]
    rules: list[Any] = [(path, handler, given) for path, handler in routes]
    return Application(
        rules,
        default_handler_class=Unknown,
        default_handler_args=given,
        log_function=lambda _: None,
    )


async def run(world: World, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; port 0 takes a free one. The address is printed."""
    sockets = bind_sockets(port, host)
    server = HTTPServer(application(world), max_buffer_size=LARGEST_BODY)
    server.add_sockets(sockets)
    print(f"listening on http://{host}:{sockets[0].getsockname()[1]}", flush=True)
    await _told_to_stop()
    server.stop()
    world.close()
    await server.close_all_connections()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
