"""Requests that nobody should send, from a seed: each part is right, slightly wrong, or absurd."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.api.addresses import METHODS, filled, rules
from tests.api.clients import ROUTE, order

Choice = TypeVar("Choice")

TEXTS = [
    "", " ", "x" * 256, "x" * 5000, "\x00", "a\x00b", "\n", "\r\nX: y", "\ud800", "\U0001f4a9",
    "\u202e", "\ufeff", "\u0661", "null", "true", "NaN", "-1", "1e999", "0x10", "' OR 1=1 --",
    "{{7*7}}", "${7*7}", "%s%n", "../../etc/passwd", "<script>", "PENDING", "PENDING,DONE", ",",
    "http://127.0.0.1/", "http://[::1]/", "https://shop.example/a.jpg", "16:9", "png",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 0.0, -0.0, 1.5, 1e308,
    [], {}, [[]], [{}], {"": ""}, {"__proto__": {}}, [None] * 11, *TEXTS,
]  # fmt: skip
IDS = [
    "1", "2", "7", "0", "-1", "00", "01", "9" * 19, "9223372036854775807", "9223372036854775808",
    "1.0", "1e1", "+1", " 1", "\u0661", "a", "", ".", "..", "%31", "1/", "1/items", "1;a=b",
    "a" * 32, "a" * 32 + ".jpg", "A" * 32 + ".png", "swagger-ui.css", "docs.html",
]  # fmt: skip
TYPES = [
    "application/json", "application/json; charset=utf-8", "application/json; charset=utf-16",
    "application/JSON", "text/plain", "", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "multipart/form-data", "application/problem+json", "/", ";",
]  # fmt: skip
HEADERS: dict[str, list[str]] = {
    "Idempotency-Key": ["key", "", " ", "x" * 255, "x" * 256, "\xfc", "a,b", "key\t"],
    "If-None-Match": ["*", '"a"', 'W/"a"', '"a', "W/", ",,,", '"' * 999, "\xff"],
    "If-Match": ["*", '"a"'],
    "If-Modified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT", "never", ""],
    "Range": ["bytes=0-", "bytes=-1", "bytes=9-1", "bytes=0-0,2-2", "items=1", "bytes=" + "9" * 50],
    "Content-Encoding": ["gzip", "identity", "", "br, gzip"],
    "Accept": ["text/html", "*/*;q=0", ";;", "application/xml"],
    "Accept-Encoding": ["gzip", "*;q=0"],
    "X-Request-Id": ["r-1", "x" * 65, "\xfc", "a b", "<script>"],
    "Origin": ["https://evil.example", "null", ""],
    "Host": ["evil.example", "", "a:b:c", "[::1", "127.0.0.1:99999", "ev il"],
    "X-Forwarded-For": ["127.0.0.1", "'"],
    "X-Forwarded-Host": ["evil.example"],
    "X-HTTP-Method-Override": ["DELETE"],
    "Expect": ["100-continue"],
    "Transfer-Encoding": ["chunked", "x"],
    "Cookie": ["session=a", "=", ";" * 99],
    "webhook-id": ["msg_1", ""],
    "webhook-timestamp": ["0", "now", "9" * 99],
    "webhook-signature": ["v1,", "v1,aaaa", "v2,x y", "\xff"],
}
QUERIES = [
    "", "x=1", "limit=1", "limit=0", "limit=101", "limit=1&limit=2", "limit=", "limit=\u0661",
    "status=PENDING", "status=DONE,FAILED", "status=pending", "status=,", "cursor=x", "cursor=",
    "cursor=" + "x" * 300, "cursor=MQ.abc", "=", "&&&", "%", "%zz", "%00", "a" * 9000, "x[]=1",
    "query=cup", "query=", "query=%00", "query=%ed%a0%80", "query=cup&limit=2",
    "limit=%ff", "%ff=1", "status=%ed%a0%80", "?", ";", "limit=1;status=DONE", "+=+",
]  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request as a server hands it to the application."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def send(self, client: FlaskClient) -> TestResponse:
        """Send it; the path goes in undecoded, because the client would refuse some itself."""
        environment = {
            "PATH_INFO": self.path.encode(errors="surrogatepass").decode("latin-1"),
            "QUERY_STRING": self.query.encode().decode("latin-1"),
        }
        return client.open(
            "/",
            method=self.method,
            headers=self.headers,
            data=self.body,
            environ_overrides=environment,
            buffered=True,
        )


class Fuzz:
    """Requests to all routes of an app, always the same from one seed."""

    def __init__(self, app: Flask, seed: int, tokens: Mapping[str, int]) -> None:
        self._random = Random(seed)
        self._rules = rules(app)
        self._tokens, self._weights = list(tokens), list(tokens.values())

    def request(self) -> Request:
        """The next one; a third are orders, because only they can write."""
        if self._random.random() < 0.35:
            return self._request("POST", ROUTE, self._maybe(0.05, self._query))
        rule = self._choose(self._rules)
        return self._request(self._method(rule), self._path(rule), self._maybe(0.4, self._query))

    def _request(self, method: str, path: str, query: str) -> Request:
        body = self._body() if method in {"POST", "PUT", "PATCH"} else self._maybe_bytes()
        return Request(method, path, query, self._headers(), body)

    def _method(self, rule: Rule) -> str:
        if self._random.random() < 0.6:
            return self._choose(sorted(rule.methods or METHODS))
        return self._choose([*METHODS, "TRACE", "FOO", "get", "PROPFIND"])

    def _path(self, rule: Rule) -> str:
        path = filled(rule, lambda _kind: self._choose(IDS))
        return self._maybe(0.1, lambda: self._mutated_text(path)) or path

    def _query(self) -> str:
        return "&".join(self._choose(QUERIES) for _ in range(self._random.randint(1, 2)))

    def _headers(self) -> dict[str, str]:
        token = self._random.choices(self._tokens, self._weights)[0]
        right = self._random.random() < 0.8
        headers = {"Content-Type": TYPES[0] if right else self._choose(TYPES)}
        if token:
            headers["Authorization"] = token
        while self._random.random() < 0.3:
            name = self._choose(sorted(HEADERS))
            headers[name] = self._choose(HEADERS[name])
        return headers

    def _maybe_bytes(self) -> bytes:
        return self._body() if self._random.random() < 0.1 else b""

    def _body(self) -> bytes:
        kind = self._random.random()
        if kind < 0.03:
            return self._random.randbytes(self._random.randint(0, 300))
        if kind < 0.06:
            return self._choose([b"[" * 99_999, b'{"a":' * 9_999, b" " * 300_000, b"", b"{}"])
        document = self._document()
        body = json.dumps(document, ensure_ascii=self._random.random() < 0.5)
        data = body.encode(errors="surrogatepass")
        return self._mutated_bytes(data) if self._random.random() < 0.15 else data

    def _document(self) -> Any:
        """An order, with so many parts of it changed; one in four stays as it is."""
        document: Any = order(self._random.randint(1, 4))
        for _ in range(self._choose([0, 1, 1, 2])):
            document = self._changed(document)
        return document

    def _changed(self, value: Any) -> Any:
        """The value with one part replaced, removed, added or buried."""
        if self._random.random() < 0.3 or not isinstance(value, dict | list) or not value:
            return self._replacement(value)
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = self._choose(keys)
        copy = value.copy()
        if self._random.random() < 0.15:
            del copy[key]
        else:
            copy[key] = self._changed(copy[key])
        return copy

    def _replacement(self, value: Any) -> Any:
        kind = self._random.random()
        if kind < 0.1:
            return self._buried(value)
        if kind < 0.2 and isinstance(value, dict):
            return value | {self._choose(TEXTS): self._choose(VALUES)}
        if kind < 0.3 and isinstance(value, str):
            return self._mutated_text(value)
        return self._choose(VALUES)

    def _buried(self, value: Any) -> Any:
        for _ in range(self._choose([1, 5, 40, 900])):
            value = [value]
        return value

    def _mutated_text(self, text: str) -> str:
        at = self._random.randint(0, len(text))
        return text[:at] + self._choose(TEXTS) + text[at + self._random.randint(0, 3) :]

    def _mutated_bytes(self, data: bytes) -> bytes:
        at = self._random.randint(0, len(data))
        new = self._random.randbytes(self._random.randint(0, 3))
        return data[:at] + new + data[at + self._random.randint(0, 3) :]

    def _maybe(self, chance: float, make: Callable[[], str]) -> str:
        return make() if self._random.random() < chance else ""

    def _choose(self, among: Sequence[Choice]) -> Choice:
        return self._random.choice(among)
