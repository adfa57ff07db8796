"""Connecting to Valkey: clients of one server, of a cluster, and of the primary that Sentinel names.

They come from redis-py, which supports all three, over TLS and unix sockets, without its own threads.
"""

from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from antiphon.explanations import explained
from antiphon.features.stores.valkey.address import Address

if TYPE_CHECKING:
    from redis import Redis, RedisCluster
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio import RedisCluster as AsyncRedisCluster

    Client: TypeAlias = Redis | RedisCluster
    AsyncClient: TypeAlias = AsyncRedis | AsyncRedisCluster


WATCHES = 16
"""The most calls of a process that wait for messages, each with a connection in addition to those of other calls."""


class Settings(NamedTuple):
    """How to connect. Times are in seconds, and ``timeout`` is None for a client that waits without a limit."""

    address: Address
    connect_timeout: float
    timeout: float | None
    max_connections: int
    tls: dict[str, str]


def check_client(settings: Settings) -> ModuleType:
    """Return the module with the errors of the client.

    Raises ImportError without the client, and ValueError for options in the URL that it does not support.
    """
    try:
        from redis import exceptions
        from redis.connection import Connection
    except ImportError as error:
        raise explained(
            "missing-package", ImportError("ValkeyStore needs the client: pip install 'antiphon[valkey]'")
        ) from error
    try:
        options = _parse(settings.address.url)
        _take_sentinel_options(options)
        options.pop("connection_class", Connection)(**options)
    except (TypeError, ValueError) as error:
        reason = f"ValkeyStore can't read the options of its URL: {error}"
        raise explained("bad-feature-option", ValueError(reason)) from error
    return exceptions


def open_client(settings: Settings) -> "Client":
    """Return a client, which connects on first use. A cluster client asks the cluster for its nodes at once."""
    from redis import Redis, cluster, retry, sentinel

    from antiphon.features.stores.valkey.sentinel import Primary

    client: Client = _open(settings, Redis, Primary, cluster, sentinel, retry)
    return client


def open_async_client(settings: Settings) -> "AsyncClient":
    """Return a client for one event loop, which connects on first use."""
    from redis.asyncio import Redis, cluster, retry, sentinel

    from antiphon.features.stores.valkey.sentinel import AsyncPrimary

    client: AsyncClient = _open(settings, Redis, AsyncPrimary, cluster, sentinel, retry)
    return client


def _open(settings: Settings, server: Any, primary: Any, cluster: Any, sentinel: Any, retry: Any) -> Any:
    """Return a client for the kind of address, from the sync or async modules of redis-py."""
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as ConnectionLost
    from redis.maint_notifications import MaintNotificationsConfig

    address = settings.address
    # A server that was restarted has closed our connections, which one more attempt finds out.
    once_more = retry.Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
    options = _options(settings) | {"retry": once_more}
    if "maint_notifications_config" in signature(server).parameters:  # an additional handshake, for Redis's own service
        options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    match address.kind:
        case "server":
            return server.from_url(address.url, **options)
        case "cluster":
            nodes = [cluster.ClusterNode(host, port) for host, port in address.hosts]
            return cluster.RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options)
        case "sentinel":
            asking = _take_sentinel_options(options)
            named = sentinel.Sentinel(address.hosts, sentinel_kwargs=asking, **options)
            chosen = primary.connection_options(encrypted=address.is_encrypted)
            return named.master_for(address.service, redis_class=primary, **chosen)


def _options(settings: Settings) -> dict[str, Any]:
    """Return the options of all connections, including those of the URL for more than one server."""
    options = {
        "socket_connect_timeout": settings.connect_timeout,
        "socket_timeout": settings.timeout,
        "protocol": 3,
        "max_connections": settings.max_connections + WATCHES + 1,  # one to ask a cluster for its nodes
        **settings.tls,
    }
    if settings.address.kind == "server":
        return options
    encrypted = {"ssl": True} if settings.address.is_encrypted else {}
    of_one_host = ("host", "port", "connection_class")
    told = {name: value for name, value in _parse(settings.address.url).items() if name not in of_one_host}
    return options | encrypted | told


def _parse(url: str) -> dict[str, Any]:
    """Return redis-py's options for one of its URLs. Raises ValueError for values that it can't read."""
    from redis.connection import parse_url

    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return options


def _take_sentinel_options(options: dict[str, Any]) -> dict[str, Any]:
    """Remove the user and the password for Sentinel from the options, and return the options to ask Sentinel with."""
    asking = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    return {name: value for name, value in options.items() if name not in ("username", "password", "db")} | asking
