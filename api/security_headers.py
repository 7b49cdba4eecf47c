"""What a browser is told about every answer: run nothing, frame nothing, guess nothing.

An answer that needs more (the page at /docs) or says it otherwise (a picture) sets its own policy.
"""

from flask import Flask, Response, request

from config.settings import Settings

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UNUSED = (
    "accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope",
    "microphone", "midi", "payment", "usb",
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # For browsers that do not know `frame-ancestors`.
    "X-Frame-Options": "DENY",
}
# Shops show these in their own pages.
SHOWN_ANYWHERE = ("/results/", "/previews/", "/uploads/")
YEAR = 365 * 24 * 3600
EMBEDDED = "Cross-Origin-Resource-Policy"


def register(app: Flask, settings: Settings) -> None:
    """Have every answer of `app` carry them, errors included."""
    headers = HEADERS | _transport(settings.public_base_url)
    by_small = {name.lower(): (name, value) for name, value in headers.items()}

    def protect(response: Response) -> Response:
        # Each look for one name goes through all headers that there are: this is one for all.
        said = {name.lower() for name, _ in response.headers}
        wanted = [header for small, header in by_small.items() if small not in said]
        response.headers.extend([*wanted, (EMBEDDED, _embedded_by())])
        return response

    app.after_request(protect)


def _embedded_by() -> str:
    """What `CORS_ORIGINS` allow is asked for by CORS, which this header does not touch."""
    return "cross-origin" if request.path.startswith(SHOWN_ANYWHERE) else "same-origin"


def _transport(public_base_url: str) -> dict[str, str]:
    """Only who is reached by https may ask for it, and only for this host: others are not ours."""
    if not public_base_url.startswith("https://"):
        return {}
    return {"Strict-Transport-Security": f"max-age={YEAR}"}
