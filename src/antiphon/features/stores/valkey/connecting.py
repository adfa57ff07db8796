"""Connecting to Valkey by a URL: clients for one server, for a cluster, and for the primary that Sentinel reports.

The clients come from redis-py, which supports all three, over TLS and Unix sockets, and starts no threads.
"""

from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from antiphon import explained

if TYPE_CHECKING:
    from redis import Redis, RedisCluster
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio import RedisCluster as AsyncRedisCluster


Kind: TypeAlias = Literal["server", "cluster", "sentinel"]

_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
_KINDS: dict[str, Kind] = {"": "server", "cluster": "cluster", "sentinel": "sentinel"}
_PORTS: dict[Kind, int] = {"server": 6379, "cluster": 6379, "sentinel": 26379}


class Address(NamedTuple):
    """The components of a URL. ``url`` is the first host's URL for redis-py; ``name`` is for logs, without a password.

    ``service`` is Sentinel's name for the primary.
    """

    kind: Kind
    url: str
    hosts: tuple[tuple[str, int], ...]
    service: str
    name: str

    @property
    def is_encrypted(self) -> bool:
        return self.url.startswith("rediss:")


def parse_address(url: str) -> Address:
    """Parse a URL. Raises ValueError, which never contains the password."""
    scheme, separator, rest = url.partition("://")
    base, _, suffix = scheme.partition("+")
    if not (separator and rest) or base not in _SCHEMES or suffix not in _KINDS or (base == "unix" and suffix):
        raise _bad(
            "its scheme must be valkey, valkeys (TLS), redis, rediss or unix; all but unix allow +cluster or +sentinel"
        )
    kind, parts = _KINDS[suffix], urlsplit(f"//{rest}")
    if base == "unix":
        return Address(kind, url, (), "", f"unix://{parts.netloc.rpartition('@')[2]}{parts.path}")
    user, at, netloc = parts.netloc.rpartition("@")
    hosts = tuple(_host(each, _PORTS[kind]) for each in netloc.split(","))
    if kind == "server" and len(hosts) > 1:
        raise _bad("for several hosts, the scheme must be valkey+cluster or valkey+sentinel")
    service, database = _path(kind, parts)
    first, query = netloc.partition(",")[0], f"?{parts.query}" if parts.query else ""
    name = f"{scheme}://{netloc}{parts.path}"
    return Address(kind, f"{_SCHEMES[base]}://{user}{at}{first}/{database}{query}", hosts, service, name)


def _host(text: str, port: int) -> tuple[str, int]:
    """Return a host and its port, which defaults to the usual port for this kind of server."""
    try:
        parts = urlsplit(f"//{text}")
        host, given = parts.hostname, parts.port
    except ValueError:
        host, given = None, None
    if not host:
        raise _bad(f"{text!r} is not a host with a port")
    return unquote(host), given or port


def _path(kind: Kind, parts: SplitResult) -> tuple[str, str]:
    """Return the name of Sentinel's service and the database number."""
    service, database = "", parts.path.strip("/")
    if kind == "sentinel":
        service, _, database = database.partition("/")
        if not service:
            raise _bad("the name of the primary must follow Sentinel's hosts: valkey+sentinel://h1,h2/mymaster")
    if database and not (database.isascii() and database.isdecimal()):
        raise _bad(f"the database must be a number, not {database!r}")
    if kind == "cluster" and int(database or 0):
        raise _bad("a cluster has only database 0")
    return unquote(service), database


def tls_options(address: Address, **files: str | None) -> dict[str, str]:
    """Return redis-py's options for TLS files. Raises ValueError for a missing file, or for files without TLS."""
    given = {name: file for name, file in files.items() if file is not None}
    if given and not address.is_encrypted:
        raise _bad("TLS files need a scheme such as valkeys, valkeys+cluster or valkeys+sentinel")
    for file in given.values():
        if not Path(file).is_file():
            raise explained("bad-feature-option", f"ValkeyStore finds no file {file!r} for TLS")
    return given


def _bad(reason: str) -> ValueError:
    text = f'ValkeyStore needs a URL such as "valkey://localhost:6379/0": {reason}'
    return explained("bad-feature-option", text)


if TYPE_CHECKING:
    Client: TypeAlias = Redis | RedisCluster
    AsyncClient: TypeAlias = AsyncRedis | AsyncRedisCluster


WATCHES = 16
"""The maximum number of a process's calls that wait for messages, each on an additional connection."""


class Settings(NamedTuple):
    """The settings of connections. Times are in seconds; ``timeout`` is None for a client that waits indefinitely."""

    address: Address
    connect_timeout: float
    timeout: float | None
    max_connections: int
    tls: dict[str, str]


def check_client(settings: Settings) -> ModuleType:
    """Return the module with the client's errors.

    Raises ImportError if the client is not installed, and ValueError for options in the URL that it does not support.
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
        raise explained("bad-feature-option", reason) from error
    return exceptions


def open_client(settings: Settings) -> "Client":
    """Return a client, which connects on first use. A cluster client immediately asks the cluster for its nodes."""
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
    # A restarted server has closed our connections; one retry opens a new one.
    once_more = retry.Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
    options = _options(settings) | {"retry": once_more}
    if "maint_notifications_config" in signature(server).parameters:  # an extra handshake, for Redis's own service
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
    """Return the options for all connections, including those in the URL if there are several servers."""
    options = {
        "socket_connect_timeout": settings.connect_timeout,
        "socket_timeout": settings.timeout,
        "protocol": 3,
        "max_connections": settings.max_connections + WATCHES + 1,  # one more connection asks a cluster for its nodes
        **settings.tls,
    }
    if settings.address.kind == "server":
        return options
    encrypted = {"ssl": True} if settings.address.is_encrypted else {}
    of_one_host = ("host", "port", "connection_class")
    told = {name: value for name, value in _parse(settings.address.url).items() if name not in of_one_host}
    return options | encrypted | told


def _parse(url: str) -> dict[str, Any]:
    """Return redis-py's options from one of its URLs. Raises ValueError for values that it can't parse."""
    from redis.connection import parse_url

    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return options


def _take_sentinel_options(options: dict[str, Any]) -> dict[str, Any]:
    """Remove Sentinel's user and password from the options and return the options with which to query Sentinel."""
    asking = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    return {name: value for name, value in options.items() if name not in ("username", "password", "db")} | asking
