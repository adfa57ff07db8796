"""A store in Valkey, or Redis, for many machines.

An entry is a hash: a field for each name of its data, so that the server itself merges changes; and fields of one
letter for what is known of it. Each change is one script, which nothing interrupts, and on one server each method is
one round trip. A client whose connection broke asks again, with the same number of the call: a change that was made is
not made again.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from antiphon.explanations import explained
from antiphon.features.stores.encoding import FORMAT, decode_value, encode_value, log_damaged, log_unknown
from antiphon.features.stores.rows import new_version
from antiphon.features.stores.store import (
    OwnedEntry,
    Store,
    StoreCount,
    StoreEntry,
    StoreUnavailable,
    check_ttl,
    hash_key,
)
from antiphon.features.stores.valkey import sharded
from antiphon.features.stores.valkey.address import parse_address, tls_options
from antiphon.features.stores.valkey.calls import Calls, Reply
from antiphon.features.stores.valkey.commands import Commands
from antiphon.features.stores.valkey.connecting import Settings, open_async_client, open_client
from antiphon.features.stores.valkey.scripts import (
    CHANGE,
    DELETE,
    DELETE_OWNED,
    INCREMENT,
    OWNED,
    PUT,
    ROTATE,
)
from antiphon.http.durations import Duration, seconds_of

if TYPE_CHECKING:
    from redis import Redis, RedisCluster
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio import RedisCluster as AsyncRedisCluster

REMEMBERED = 10
"""The number of longest waits for which the server remembers a call that it has answered."""

NEEDS = "~{prefix}* +@connection +@read +@write +@hash +@sortedset +@string +eval +evalsha +time +cluster|slots +info"
"""What a user of Valkey has to be allowed, as ACL SETUSER takes it."""

PROBES = 64
"""Keys that are tried to find one on each shard, when a cluster is asked whether it answers."""


class ValkeyStore(Store):
    """A store in Valkey, or Redis from 6.2 on, for any number of machines.

    ``url`` is such as "valkey://localhost:6379/0", "valkeys://user:password@host" for TLS, or
    "unix:///run/valkey.sock"; "valkey+cluster://host1,host2:6380" for a cluster, of which the hosts are some nodes; and
    "valkey+sentinel://host1,host2:26379/name/0" for the primary that Sentinel has under a name. With "valkeys+" these
    two speak TLS. Redis's schemes are read, too. ``prefix`` stands before all keys on the server.

    ``connect_timeout`` and ``timeout`` are the longest waits for a connection and for an answer, in seconds or
    timedeltas; after that, StoreUnavailable (503) is raised. Calls of that server in the next second raise it at once,
    but for ``replace``; then one at a time is tried. At most ``max_connections`` calls of a process are made at once;
    further ones wait for up to ``timeout``. The readers of channels have connections beside these: one, in a cluster up
    to 16. ``ca_file`` is the file of the authorities to trust, in place of the
    system's, and ``certificate`` and ``private_key`` are the files to show a server that asks for them. ``clock``
    returns the seconds since 1970.

    Raises ValueError for any other URL, a missing file, and for a cluster a prefix with braces that are not a hash
    tag; ImportError unless `antiphon[valkey]` is installed.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "antiphon:",
        connect_timeout: Duration = 1.0,
        timeout: Duration = 2.0,
        max_connections: int = 100,
        ca_file: str | None = None,
        certificate: str | None = None,
        private_key: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        connect_timeout, timeout = seconds_of(connect_timeout), seconds_of(timeout)
        if max_connections < 1:
            raise explained("bad-feature-option", ValueError(f"max_connections is 1 or more, not {max_connections!r}"))
        address = parse_address(url)
        tls = tls_options(address, ssl_ca_certs=ca_file, ssl_certfile=certificate, ssl_keyfile=private_key)
        if address.kind == "cluster" and not re.fullmatch(r"[^{}]*(\{[^{}]+\}[^{}]*)?", prefix):
            raise explained(
                "bad-feature-option",
                ValueError(f"in a cluster braces in a prefix are one hash tag, such as {{app}}:, not {prefix!r}"),
            )
        settings = Settings(address, connect_timeout, timeout, max_connections, tls)
        self._calls = Calls(settings, NEEDS.format(prefix=prefix))
        remembered = _milliseconds(REMEMBERED * (connect_timeout + timeout))
        self._commands = Commands(self._calls, prefix, remembered)
        self._clock = clock

    @property
    def client(self) -> "Redis | RedisCluster":
        """The client of redis-py that the store uses in this process, for commands of your own; the store closes it.

        In a cluster it asks the node that has a key, for each command. Calls of it are not guarded: they raise
        redis-py's errors.
        """
        return self._calls.own.client

    _client = client

    def open_client(self, *, timeout: Duration | None = None) -> "Redis | RedisCluster":
        """Return a client of redis-py of your own for the same servers, which you close.

        ``timeout`` is the longest wait for an answer, in seconds or a timedelta; None waits as long as it takes, as
        commands that block need. In a cluster the client asks the node that has a key, for each command.
        """
        return open_client(self._settings_for(timeout))

    def open_async_client(self, *, timeout: Duration | None = None) -> "AsyncRedis | AsyncRedisCluster":
        """Return a client as ``open_client`` does, for one event loop. Close it by ``await client.aclose()``."""
        return open_async_client(self._settings_for(timeout))

    def _settings_for(self, timeout: Duration | None) -> Settings:
        return self._calls.settings._replace(timeout=None if timeout is None else seconds_of(timeout))

    def load(self, key: str) -> StoreEntry | None:
        return _entry(key, self._commands.fields(_id(key)))

    def change(
        self,
        key: str,
        updates: Mapping[str, Any],
        *,
        ttl: float,
        remove: Iterable[str] = (),
        create: bool = True,
        owner: str | None = None,
    ) -> StoreEntry | None:
        check_ttl(ttl)
        now, id_ = self._clock(), _id(key)
        fields = self._fields(updates, ttl, now)
        for name in remove:
            fields += f".{name}", ""
        if owner and self._commands.is_sharded:
            sharded.index(self._commands, owner, id_, _milliseconds(ttl))
        arguments = id_, _milliseconds(ttl), now, "1" if create else "", owner or "", *fields
        return self._indexed(
            _entry(key, self._commands.run(CHANGE, self._commands.entry_key(id_), *arguments)), id_, ttl
        )

    def delete(self, key: str) -> bool:
        id_ = _id(key)
        return bool(self._commands.run(DELETE, self._commands.entry_key(id_), id_, ""))

    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        old, new = _id(key), _id(new_key)
        if self._commands.is_sharded:
            return _entry(new_key, sharded.rotate(self._commands, old, new))
        return _entry(new_key, self._commands.run(ROTATE, self._commands.entry_key(old), old, new))

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        found = [(id_.decode(), _entry("", fields)) for id_, fields in self._owned(owner)]
        owned = [OwnedEntry(id_, entry.data, *entry[3:6]) for id_, entry in found if entry and entry.owner == owner]
        return sorted(owned, key=lambda entry: entry.created)

    def _owned(self, owner: str) -> Reply:
        """Return the names and the fields of the entries that are, or were, an owner's."""
        if self._commands.is_sharded:
            return [(id_, self._commands.fields(id_.decode())) for id_, _ in self._commands.indexed(owner)]
        return self._commands.run(OWNED, self._commands.index_key(owner), owner)

    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        kept = "" if keep is None else _id(keep)
        if only == "":
            return 0
        if self._commands.is_sharded:
            return sharded.delete_owned(self._commands, owner, only, kept)
        count: int = self._commands.run(DELETE_OWNED, self._commands.index_key(owner), owner, only or "", kept)
        return count

    def add(self, key: str, data: Mapping[str, Any], *, ttl: float) -> StoreEntry | None:
        return self._put_all(key, data, ttl, "")

    def replace(self, key: str, data: Mapping[str, Any], *, version: int, ttl: float) -> StoreEntry | None:
        # The caller may have acted since it had the version: to note that is worth a wait.
        return self._put_all(key, data, ttl, str(version), waits=True)

    def _put_all(
        self, key: str, data: Mapping[str, Any], ttl: float, expected: str, waits: bool = False
    ) -> StoreEntry | None:
        check_ttl(ttl)
        now, id_ = self._clock(), _id(key)
        arguments = id_, _milliseconds(ttl), now, expected, *self._fields(data, ttl, now)
        return self._indexed(
            _entry(key, self._commands.run(PUT, self._commands.entry_key(id_), *arguments, waits=waits)), id_, ttl
        )

    def increment(self, key: str, *, ttl: float, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        count, left = self._commands.run(INCREMENT, self._commands.counter_key(_id(key)), _milliseconds(ttl), by)
        return StoreCount(count, left / 1000)

    def check(self) -> None:
        """Raise StoreUnavailable unless the server answers, or in a cluster one of the shards."""
        tried: set[str] = set()
        failure: StoreUnavailable | None = None
        for number in range(PROBES if self._commands.is_sharded else 1):
            id_ = _id(f"check {number}")
            try:
                node = self._calls.own.node_of(self._commands.entry_key(id_)) if self._commands.is_sharded else ""
                if node not in tried:
                    tried.add(node)
                    self._commands.fields(id_)
                    return
            except StoreUnavailable as error:
                failure = error
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Close the connections. A call after that opens new ones."""
        self._calls.own.close()

    def _fields(self, data: Mapping[str, Any], ttl: float, now: float) -> list[str | bytes | int | float]:
        """Return the fields that hold these data, each name before its value."""
        fields: list[str | bytes | int | float] = ["v", new_version(), "m", now, "x", now + ttl]
        for name, value in data.items():
            fields += f".{name}", encode_value(name, value)
        return fields

    def _indexed(self, entry: StoreEntry | None, id_: str, ttl: float) -> StoreEntry | None:
        """Return an entry that was changed, once the index of its owner in a cluster knows how long it lasts."""
        if self._commands.is_sharded and entry is not None and entry.owner:
            sharded.index(self._commands, entry.owner, id_, _milliseconds(ttl))
        return entry


def _id(key: str) -> str:
    return hash_key(key).hex()


def _milliseconds(seconds: float) -> int:
    return ceil(seconds * 1000)


def _entry(key: str, fields: "Mapping[bytes, bytes] | list[bytes] | None") -> StoreEntry | None:
    """Return the entry of a hash, or of a list of its names and values; None for an empty one and unknown formats."""
    if not fields:
        return None
    known = fields if isinstance(fields, Mapping) else dict(zip(fields[::2], fields[1::2], strict=True))
    if known.get(b"f") != FORMAT:
        log_unknown(known.get(b"f"))
        return None
    try:
        data = {name[1:].decode(): decode_value(value) for name, value in known.items() if name[:1] == b"."}
        created, changed, expires = [float(known[name]) for name in (b"c", b"m", b"x")]
        owner = known[b"o"].decode() if b"o" in known else None
        return StoreEntry(key, data, int(known[b"v"]), created, changed, expires, owner)
    except (ValueError, KeyError) as error:
        log_damaged(error)
        return None
