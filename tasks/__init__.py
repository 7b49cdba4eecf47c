"""Work outside a request: what Celery's workers, housekeepers and the scheduler do."""
