"""What is compared: the requests of each way, one list of them for each connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection

from benchmarks.rest.servers import Server
from benchmarks.rest.shops import Shop, body

API = "/api/image-optimization"
DARKROOM, BARE = "Darkroom", "bare view"
APPLY, PIPELINE = "bare view with apply_async", "bare view with a pipeline"
CREATE, READ, PAGE = "create a job", "read a job", "page of jobs"
WAITING = "read a job that waits"
TAGGED, TAGGED_PAGE = "read a job, 304", "page of jobs, 304"


@dataclass(frozen=True)
class Way:
    """Somebody's way to do something, with the status that every answer has to have."""

    what: str
    whose: str
    server: Server
    status: int
    requests: list[list[str]]

    @property
    def name(self) -> str:
        """As it is shown."""
        return named(self.what, self.whose)


def named(what: str, whose: str) -> str:
    """The name of somebody's way to do something."""
    return f"{what}: {whose}"


@dataclass(frozen=True)
class Shops:
    """Those that order, those whose jobs are done, and those whose jobs wait: one of each for
    every connection."""

    ordering: Sequence[Shop]
    done: Sequence[Shop]
    waiting: Sequence[Shop]


def ways(ours: Server, bare: Server, shops: Shops) -> list[Way]:
    """All of them, each thing's ways side by side."""
    return [
        Way(CREATE, DARKROOM, ours, 201, _orders(shops.ordering, API)),
        Way(CREATE, APPLY, bare, 201, _orders(shops.ordering, "/apply_async")),
        Way(CREATE, PIPELINE, bare, 201, _orders(shops.ordering, "/pipeline")),
        Way(READ, DARKROOM, ours, 200, _jobs(shops.done, f"{API}/jobs")),
        Way(READ, BARE, bare, 200, _jobs(shops.done, "/jobs")),
        Way(PAGE, DARKROOM, ours, 200, _pages(shops.done, f"{API}/jobs")),
        Way(PAGE, BARE, bare, 200, _pages(shops.done, "/jobs")),
        Way(TAGGED, DARKROOM, ours, 304, _tagged(ours, shops.done, _job_paths)),
        Way(TAGGED_PAGE, DARKROOM, ours, 304, _tagged(ours, shops.done, _page_path)),
        Way(WAITING, DARKROOM, ours, 200, _jobs(shops.waiting, f"{API}/jobs")),
        Way(WAITING, BARE, bare, 200, _jobs(shops.waiting, "/jobs")),
    ]


def _orders(shops: Sequence[Shop], path: str) -> list[list[str]]:
    return [[shop.request("POST", path, body())] for shop in shops]


def _jobs(shops: Sequence[Shop], path: str) -> list[list[str]]:
    return [[shop.request("GET", f"{path}/{job}") for job in shop.jobs] for shop in shops]


def _pages(shops: Sequence[Shop], path: str) -> list[list[str]]:
    return [[shop.request("GET", path)] for shop in shops]


def _job_paths(shop: Shop) -> list[str]:
    return [f"{API}/jobs/{job}" for job in shop.jobs]


def _page_path(_shop: Shop) -> list[str]:
    return [f"{API}/jobs"]


def _tagged(
    ours: Server, shops: Sequence[Shop], paths: Callable[[Shop], list[str]]
) -> list[list[str]]:
    """Requests with the tags of the answers as they are now."""
    connection = HTTPConnection("127.0.0.1", ours.port, timeout=10)
    tagged = [[_with_tag(connection, shop, path) for path in paths(shop)] for shop in shops]
    connection.close()
    return tagged


def _with_tag(connection: HTTPConnection, shop: Shop, path: str) -> str:
    connection.request("GET", path, headers={"Authorization": f"Bearer {shop.token}"})
    answer = connection.getresponse()
    answer.read()
    tag = answer.headers["ETag"]
    return shop.request("GET", path, headers={"If-None-Match": tag})
