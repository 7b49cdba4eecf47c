"""HTTP in, JSON out: `create_app` puts the API on top of the models."""

from flask import Flask
from flask_cors import CORS

from api import (
    access,
    analytics,
    batches,
    cancel,
    credit_entries,
    credits,
    current,
    docs,
    errors,
    health,
    image_optimization,
    jobs,
    limits,
    live,
    metrics,
    models,
    openapi,
    pages,
    paths,
    presets,
    previews,
    products,
    queue,
    receiving,
    results,
    retry,
    security_headers,
    uploads,
    webhook_deliveries,
    webhook_endpoints,
    webhooks,
)
from api.catalogue.choice import open_catalogue
from api.input import READ_AT_MOST
from config.settings import Settings
from models.database import bind

BLUEPRINTS = (
    image_optimization.blp,
    batches.blp,
    jobs.blp,
    live.blp,
    queue.blp,
    cancel.blp,
    retry.blp,
    products.blp,
    models.blp,
    presets.blp,
    credits.blp,
    credit_entries.blp,
    analytics.blp,
    previews.addresses,
    previews.blp,
    results.blp,
    uploads.blp,
    uploads.shown,
    webhooks.blp,
    webhook_endpoints.blp,
    webhook_deliveries.blp,
    health.blp,
    metrics.blp,
    docs.blp,
)


def create_app(settings: Settings) -> Flask:
    """Return the WSGI application."""
    app = bind(settings)
    app.config["MAX_CONTENT_LENGTH"] = READ_AT_MOST
    app.json.sort_keys = False  # type: ignore[attr-defined]
    current.equip(app, settings, open_catalogue)
    paths.register(app)
    access.register(app)
    errors.register(app)
    security_headers.register(app, settings)
    larger_bodies = {
        batches.blp.name: batches.LARGEST_BODY,
        webhooks.blp.name: webhooks.LARGEST_BODY,
        uploads.blp.name: settings.upload_max_bytes + receiving.AROUND,
    }
    limits.register(app, settings, larger_bodies)
    _allow_origins(app, settings)
    openapi.register(app, BLUEPRINTS)
    app.register_blueprint(docs.assets)
    app.register_blueprint(pages.blp)
    return app


def _allow_origins(app: Flask, settings: Settings) -> None:
    """Let the pages of these origins call the API; a token is a header, so no cookies."""
    if settings.cors_origins:
        CORS(
            app,
            resources={
                r"/(api|previews|results|uploads)/.*": {"origins": list(settings.cors_origins)}
            },
            methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            allow_headers=[
                "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match",
                "Last-Event-ID",
            ],
            expose_headers=[
                "Location", "ETag", "X-Request-Id", "Idempotent-Replayed", "Retry-After",
                "Content-Disposition",
            ],
            max_age=600,
        )  # fmt: skip
