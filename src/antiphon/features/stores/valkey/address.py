"""The address of Valkey from a URL: one server, a cluster, or a primary that Sentinel names."""

from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from antiphon.explanations import explained

Kind: TypeAlias = Literal["server", "cluster", "sentinel"]

_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
_KINDS: dict[str, Kind] = {"": "server", "cluster": "cluster", "sentinel": "sentinel"}
_PORTS: dict[Kind, int] = {"server": 6379, "cluster": 6379, "sentinel": 26379}


class Address(NamedTuple):
    """The parts of a URL. ``url`` is the URL of the first host for redis-py; ``name`` is for logs, without a password.

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
            "its scheme is valkey, valkeys (with TLS), redis, rediss or unix; all but unix take +cluster or +sentinel"
        )
    kind, parts = _KINDS[suffix], urlsplit(f"//{rest}")
    if base == "unix":
        return Address(kind, url, (), "", f"unix://{parts.netloc.rpartition('@')[2]}{parts.path}")
    user, at, netloc = parts.netloc.rpartition("@")
    hosts = tuple(_host(each, _PORTS[kind]) for each in netloc.split(","))
    if kind == "server" and len(hosts) > 1:
        raise _bad("for several hosts, the scheme has to say what they are: valkey+cluster or valkey+sentinel")
    service, database = _path(kind, parts)
    first, query = netloc.partition(",")[0], f"?{parts.query}" if parts.query else ""
    name = f"{scheme}://{netloc}{parts.path}"
    return Address(kind, f"{_SCHEMES[base]}://{user}{at}{first}/{database}{query}", hosts, service, name)


def _host(text: str, port: int) -> tuple[str, int]:
    """Return a host and its port, by default the port of this kind of server."""
    try:
        parts = urlsplit(f"//{text}")
        host, given = parts.hostname, parts.port
    except ValueError:
        host, given = None, None
    if not host:
        raise _bad(f"{text!r} is not a host with a port")
    return unquote(host), given or port


def _path(kind: Kind, parts: SplitResult) -> tuple[str, str]:
    """Return the name of Sentinel's service and the number of the database."""
    service, database = "", parts.path.strip("/")
    if kind == "sentinel":
        service, _, database = database.partition("/")
        if not service:
            raise _bad("the name of the primary has to follow Sentinel's hosts: valkey+sentinel://h1,h2/mymaster")
    if database and not (database.isascii() and database.isdecimal()):
        raise _bad(f"the database must be a number, not {database!r}")
    if kind == "cluster" and int(database or 0):
        raise _bad("a cluster has no database but 0")
    return unquote(service), database


def tls_options(address: Address, **files: str | None) -> dict[str, str]:
    """Return redis-py's options for TLS files. Raises ValueError for a missing file, or without TLS."""
    given = {name: file for name, file in files.items() if file is not None}
    if given and not address.is_encrypted:
        raise _bad("TLS files need a scheme such as valkeys, valkeys+cluster or valkeys+sentinel")
    for file in given.values():
        if not Path(file).is_file():
            raise explained("bad-feature-option", ValueError(f"ValkeyStore finds no file {file!r} for TLS"))
    return given


def _bad(reason: str) -> ValueError:
    text = f'ValkeyStore needs a URL such as "valkey://localhost:6379/0": {reason}'
    return explained("bad-feature-option", ValueError(text))
