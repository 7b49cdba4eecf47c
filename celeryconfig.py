"""How Celery runs here. Celery reads the names of this file as its settings."""
