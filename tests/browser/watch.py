"""What no page may do in a test: complain, fail, or speak with anybody but its own service."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Request, Response, WebError

# Reports each violation of the page's policy, also one that the console is silent about.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  tellViolation(`${event.effectiveDirective} ${event.blockedURI} in ${event.sourceFile || "it"}`
    + `:${event.lineNumber} ${event.sample}`));
"""
# The page went on while it was loading something: nobody's fault.
LEFT = "net::ERR_ABORTED"
OFFLINE = "net::ERR_INTERNET_DISCONNECTED"


@dataclass(frozen=True)
class Finding:
    """Something that a page did; `kind` is one word."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Watch:
    """Hears what the pages of browser contexts do, and fails a test for what it did not allow.

    `origin` is the only one that pages may speak with, like `http://127.0.0.1:8000`.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._found: list[Finding] = []
        self._allowed: list[re.Pattern[str]] = []
        self._contexts: list[BrowserContext] = []

    def attach(self, context: BrowserContext) -> None:
        """Hear everything from now on that happens in any page of it."""
        context.expose_binding("tellViolation", lambda _page, text: self._find("policy", text))
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._hear_console)
        context.on("weberror", self._hear_error)
        context.on("request", self._hear_request)
        context.on("requestfailed", self._hear_failure)
        context.on("response", self._hear_answer)
        self._contexts.append(context)

    def allow_status(self, *statuses: int) -> None:
        """Answers with these statuses are part of the test, and Chromium's lines about them."""
        for status in statuses:
            self.allow(rf"^status: {status} ", rf"responded with a status of {status} ")

    def allow_offline(self) -> None:
        """The test takes the network away: what fails for that reason is part of it."""
        self.allow(re.escape(OFFLINE))

    def allow(self, *patterns: str) -> None:
        """Findings that one of these patterns is found in are part of the test."""
        self._allowed += [re.compile(pattern) for pattern in patterns]

    def findings(self) -> list[Finding]:
        """What was not allowed, in the order of its coming."""
        self._catch_up()
        return [each for each in self._found if not self._is_allowed(each)]

    def check(self) -> None:
        """Fail with all that was not allowed."""
        findings = "\n".join(map(str, self.findings()))
        assert not findings, f"the pages did what they must not:\n{findings}"

    def forget(self) -> None:
        """Begin anew: what has been found until now was the subject of the test."""
        self._catch_up()
        self._found.clear()

    def _catch_up(self) -> None:
        """Events come in order: who has the answer to a question has all that was before it."""
        for page in [page for context in self._contexts for page in context.pages]:
            try:
                page.evaluate("1")
            except Error as error:
                self._find("dead page", error.message)

    def _is_allowed(self, finding: Finding) -> bool:
        return any(pattern.search(str(finding)) for pattern in self._allowed)

    def _find(self, kind: str, text: str) -> None:
        self._found.append(Finding(kind, text))

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            where = message.location
            self._find(
                "console", f"{message.type}: {message.text} ({where['url']}:{where['lineNumber']})"
            )

    def _hear_error(self, error: WebError) -> None:
        self._find("exception", error.error.stack or error.error.message)

    def _hear_request(self, request: Request) -> None:
        """What is in the page itself (data:, blob:) is for its policy to forbid."""
        url = urlsplit(request.url)
        inside = url.scheme in {"data", "blob", "about"}
        if not inside and f"{url.scheme}://{url.netloc}" != self.origin:
            self._find("foreign", f"{request.method} {request.url}")

    def _hear_failure(self, request: Request) -> None:
        if request.failure != LEFT:
            self._find("failed", f"{request.method} {request.url}: {request.failure}")

    def _hear_answer(self, response: Response) -> None:
        if response.status >= 400:
            self._find("status", f"{response.status} {response.request.method} {response.url}")
