"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi`."""
