"""Each limiter as its documentation says: `prepare(load)` returns what sends until it is killed."""
