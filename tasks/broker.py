"""Celery's own Redis transport, without a new client for every command.

kombu makes a client for each message that it sends, takes or acknowledges, which costs more than
the command itself. Clients hold nothing but their pool of connections, and threads may share one.
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """Keeps the client of its present pool."""

    _kept: Any = None
    pool: Any  # What kombu's types do not tell.

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Return a client; the asynchronous one, which holds a connection, is always a new one."""
        if asynchronous:
            return super()._create_client(asynchronous)  # type: ignore[misc]
        # After a fork, or when all connections were closed, there is another pool.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept


class Transport(redis.Transport):
    """Redis with these channels."""

    Channel = Channel
