"""Small pages to try the kit on, served with the very policy that the service's pages have."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
# One of everything that our pages have, so that axe's rules have something to look at.
GOOD = """<!doctype html><html lang="en"><head><title>A good page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/good.css"><script type="module" src="/good.js"></script></head>
<body><a class="skip" href="#main">To the cups</a>
<header><nav aria-label="Pages"><a href="/good" aria-current="page">Cups</a></nav></header>
<main id="main"><h1>Cups</h1><p>Ten of them. <a href="/good">All of them</a></p>
<form><label>Search <input type="search" autocomplete="off"></label>
<fieldset><legend>Which?</legend><label><input type="checkbox"> Red</label></fieldset>
<label>Shape <select><option>1:1</option></select></label>
<label>Wish <textarea></textarea></label>
<label>Before or after <input type="range"></label><button type="submit">Order</button></form>
<ul><li><img src="/icon.svg" alt="A red cup" width="40" height="40"></li></ul>
<label>Progress <progress value="3" max="10"></progress></label>
<svg role="img" aria-label="Done" width="24" height="24"><circle r="9" cx="12" cy="12"/></svg>
<details><summary>Prices</summary><table><caption>Prices</caption>
<tr><th scope="col">Cup</th></tr><tr><td>24.00</td></tr></table></details>
<p role="status"></p><dialog aria-label="Order"><p>Really?</p><button>Yes</button></dialog></main>
</body></html>"""
ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle r="20"/></svg>'
STYLE = """:root { color-scheme: light dark; font-family: sans-serif; }
button, input, select, summary { min-height: 2.5rem; min-width: 2.5rem; }
li { list-style: none; } a { display: inline-block; line-height: 2rem; }"""
SCRIPT = """const answer = await fetch("/answer");
document.querySelector("[role=status]").textContent = await answer.text();
document.querySelector("dialog").showModal();"""


class Pages:
    """Serves the texts in `files` by path; a path that is missing is a 404.

    `statuses` are those of paths that answer with another one than 200.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files = {"/good": GOOD, "/good.css": STYLE, "/good.js": SCRIPT, "/answer": "All good."}
        self.files["/icon.svg"] = ICON
        self.statuses: dict[str, int] = {}

    def with_body(self, path: str, body: str, script: str = "", style: str = "") -> str:
        """Serve a page with this body, script and style; return its URL."""
        head = '<!doctype html><html lang="en"><head><title>Cups</title>'
        icon = '<link rel="icon" href="/icon.svg">'
        links = f'<link rel="stylesheet" href="{path}.css"><script defer src="{path}.js"></script>'
        self.files[path] = f"{head}{icon}{links}</head><body>{body}</body></html>"
        self.files[f"{path}.js"] = script
        self.files[f"{path}.css"] = style
        return f"{self.url}{path}"


TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


@contextmanager
def pages() -> Iterator[Pages]:
    """Serve pages on a free port until the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    server.served = Pages(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.served  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Answer(BaseHTTPRequestHandler):
    """One answer."""

    def do_GET(self) -> None:
        served: Pages = self.server.served  # type: ignore[attr-defined]
        text = served.files.get(self.path)
        body = (text or "").encode()
        self.send_response(served.statuses.get(self.path, 404 if text is None else 200))
        suffix = self.path.rpartition(".")[2]
        self.send_header("Content-Type", f"{TYPES.get(suffix, 'text/html')}; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A test server writes no log."""
