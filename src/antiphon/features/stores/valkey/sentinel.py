"""Clients for the primary that Sentinel reports, which also close their connections to Sentinel."""

from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection

from antiphon.embedding import require_names

# Without it, late replies would be matched to other commands.
require_names("redis", "8", SentinelManagedConnection.read_response, "disconnect_on_error")


class PrimaryConnection(SentinelManagedConnection):
    """A connection that is closed if a reply does not arrive in time, as redis-py's other connections are.

    If it stayed open, it would remain connected to a frozen primary forever, and a late reply would be mistaken for the
    reply to the next command.
    """

    def read_response(self, *arguments: Any, disconnect_on_error: bool | None = True, **options: Any) -> Any:
        return super().read_response(*arguments, disconnect_on_error=disconnect_on_error, **options)


class EncryptedPrimaryConnection(PrimaryConnection, SentinelManagedSSLConnection):
    """A ``PrimaryConnection`` over TLS."""


class Primary(Redis):
    """A client that asks Sentinel for the primary before it connects."""

    @staticmethod
    def connection_options(*, encrypted: bool) -> dict[str, Any]:
        """Return the options that select this client's connections."""
        return {"connection_class": EncryptedPrimaryConnection if encrypted else PrimaryConnection}

    def close(self) -> None:
        super().close()
        manager: Any = self.connection_pool
        for sentinel in manager.sentinel_manager.sentinels:
            sentinel.close()


class AsyncPrimary(AsyncRedis):
    """A client for an event loop that asks Sentinel for the primary before it connects."""

    @staticmethod
    def connection_options(*, encrypted: bool) -> dict[str, Any]:  # noqa: ARG004 - redis-py's own are correct
        """Return the options that select this client's connections."""
        return {}

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        manager: Any = self.connection_pool
        for sentinel in manager.sentinel_manager.sentinels:
            await sentinel.aclose()
