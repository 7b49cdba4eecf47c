"""What a page asks the API for while its time is shifted: when, with which tag, how many at once.

Chromium tells of an answer 304 to a request that had its own If-None-Match as of one that failed
(net::ERR_ABORTED) after a response: that is nobody's fault.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, Request, Response, Route

from tests.service import wait_until

JOBS = re.compile("/api/image-optimization/jobs")
LIST = r"/jobs\?"
JOB = r"/jobs/\d+$"

# A browser that hands answers over only as a whole: jobs are asked for again and again, as they are
# wherever there is no stream. An answer is complete when the page gets it, so that what it does
# with it takes no time.
COUNT_FETCHES = """
delete Response.prototype.body;
window.fetchesUnderWay = 0;
const reallyFetch = window.fetch;
window.fetch = async (...given) => {
  window.fetchesUnderWay += 1;
  try {
    const answer = await reallyFetch(...given);
    await answer.clone().arrayBuffer();
    return answer;
  } finally {
    window.fetchesUnderWay -= 1;
  }
};
"""
SHOW_OR_HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@contextmanager
def held_answers(page: Page) -> Iterator[list[Route]]:
    """What is asked about jobs meanwhile is answered only at the end."""
    held: list[Route] = []
    over: list[bool] = []

    def meet(route: Route) -> None:
        if over:
            route.continue_()
        else:
            held.append(route)

    page.route(JOBS, meet)
    yield held
    over.append(True)
    for route in held:
        route.continue_()
    page.unroute(JOBS, meet)


@dataclass(frozen=True)
class Asked:
    """One request: the second of the page's time, the URL, its If-None-Match."""

    second: int
    url: str
    tag: str | None


class Traffic:
    """The page's clock stands still; `seconds` lets it go on. To be made before the page is opened.

    `statuses` are the answers to what the API was asked for, in the order of their coming.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._second = 0
        self._under_way: set[Request] = set()
        self.all: list[Asked] = []
        self.statuses: list[int] = []
        self.most_at_once = 0
        page.add_init_script(COUNT_FETCHES)
        # An installed clock runs on, and can be stopped only ahead of where it is.
        now = datetime.now(UTC)
        page.clock.install(time=now - timedelta(minutes=1))
        page.clock.pause_at(now)
        page.on("request", self._begin)
        page.on("response", self._hear_answer)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def asked(self, pattern: str) -> list[Asked]:
        """The requests until now whose URL has this pattern."""
        return [each for each in self.all if re.search(pattern, each.url)]

    def seconds(self, number: int, pattern: str = "") -> list[int]:
        """Let so many seconds pass; return at which of them (from 1) something was asked for."""
        before = self._second
        for _ in range(number):
            self._second += 1
            self._page.clock.run_for(1000)
            self.settle()
        return [each.second - before for each in self.asked(pattern) if each.second > before]

    def settle(self) -> None:
        """Return when everything was answered, and the page has done with it what it does."""
        wait_until(self._is_quiet, "the page has its answers", every=0.01)

    def during(self, act: Callable[[], object], pattern: str = "") -> list[Asked]:
        """What is asked for because of `act`, without any time passing."""
        before = len(self.all)
        act()
        self.settle()
        return [each for each in self.all[before:] if re.search(pattern, each.url)]

    def hide(self, hidden: bool = True) -> None:
        """Another tab comes to the front, or this one again."""
        self._page.evaluate(SHOW_OR_HIDE, hidden)

    def _is_quiet(self) -> bool:
        if self._page.evaluate("fetchesUnderWay"):
            return False
        # Events come in order: what was begun or answered before is known after one more question.
        return not self._page.evaluate("fetchesUnderWay")

    def _begin(self, request: Request) -> None:
        if "/api/" not in request.url:
            return
        self._under_way.add(request)
        self.all.append(Asked(self._second, request.url, request.headers.get("if-none-match")))
        same = [each for each in self._under_way if each.url == request.url]
        self.most_at_once = max(self.most_at_once, len(same))

    def _hear_answer(self, answer: Response) -> None:
        if answer.request in self._under_way:
            self.statuses.append(answer.status)

    def _end(self, request: Request) -> None:
        self._under_way.discard(request)
