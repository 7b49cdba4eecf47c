"""As many connections as there are requests at a time, and the one used last is used next."""

from collections.abc import Iterator

import httpx
import pytest

from tasks.connecting import KEPT_OPEN
from tasks.connections import MOST_IDLE, Connections


class Line(httpx.BaseTransport):
    """A connection that answers with its number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/broken":
            raise httpx.ReadError("broken")
        return httpx.Response(200, stream=Body(b"%d" % self.number))

    def close(self) -> None:
        self.closed = True


class Body(httpx.SyncByteStream):
    """A body that is read from the wire."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content


class Exchange:
    """Connections whose lines and clock a test sees."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.now = 0.0
        self.connections = Connections(self._connect, lambda: self.now)

    def ask(self, path: str = "/") -> httpx.Response:
        return self.connections.handle_request(httpx.Request("GET", f"http://a.example{path}"))

    def asked(self) -> int:
        """Which line a request went over, from its beginning to its end."""
        response = self.ask()
        number = int(response.read())
        response.close()
        return number

    def _connect(self) -> Line:
        self.lines.append(Line(len(self.lines)))
        return self.lines[-1]


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def test_one_after_the_other_takes_one_line(exchange: Exchange) -> None:
    assert [exchange.asked() for _ in range(3)] == [0, 0, 0]


def test_at_the_same_time_each_has_its_own_and_the_last_used_is_next(exchange: Exchange) -> None:
    first, second = exchange.ask(), exchange.ask()
    second.close()
    first.close()

    assert [line.number for line in exchange.lines] == [0, 1]
    assert exchange.asked() == 0


def test_a_line_whose_request_broke_is_free_again(exchange: Exchange) -> None:
    with pytest.raises(httpx.ReadError):
        exchange.ask("/broken")

    assert exchange.asked() == 0


def test_an_answer_gives_its_line_back_once(exchange: Exchange) -> None:
    response = exchange.ask()
    response.close()
    response.close()

    both = [exchange.ask(), exchange.ask()]
    assert [each.read() for each in both] == [b"0", b"1"]


def test_what_nobody_has_used_for_long_is_closed(exchange: Exchange) -> None:
    for response in [exchange.ask(), exchange.ask()]:
        response.close()
    exchange.now = KEPT_OPEN + 1.0

    exchange.asked()

    assert [line.closed for line in exchange.lines] == [True, False]


def test_only_so_many_wait(exchange: Exchange) -> None:
    for response in [exchange.ask() for _ in range(MOST_IDLE + 1)]:
        response.close()

    assert sum(line.closed for line in exchange.lines) == 1
    exchange.connections.close()
    assert all(line.closed for line in exchange.lines)
