"""Settings for a process that uses the Celery app and none of the servers that they name."""

# `celeryconfig.py` reads them when the app is first used: nobody listens there, so whoever forgets
# to say which broker is meant fails.
NOWHERE = {
    "DATABASE_URL": "sqlite:////nowhere/darkroom.db",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "secret-of-the-tests",
    "REPLICATE_API_TOKEN": "r8_test",
    "SANDBOX": "true",
}
