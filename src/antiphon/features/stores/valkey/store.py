"""A store in Valkey or Redis, for many machines: on one server, or on the shards of a cluster.

No script spans shards, so changes on several shards are sequences of steps that can safely stop after each step. An
index may list entries that no longer exist or have a new owner, but it lists all of its owner's entries. An entry that
is being moved is first set aside, under a key that ``delete_owned`` checks, too.

An entry is a hash with one-letter fields for its metadata, and a field for each name in its data, so that the server
itself merges changes. Each change is one atomic script, and on one server each method takes one round trip. After a
broken connection, a client repeats the call with the same number, so that no change is made twice.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import ceil
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from antiphon import explained
from antiphon.embedding import check_numbers, seconds_of
from antiphon.features import OwnedEntry, Store, StoreCount, StoreEntry, StoreUnavailable
from antiphon.features.stores import StoredKind, check_ttl, decode_value, encode_value, hash_key, owned_entries
from antiphon.features.stores.rows import new_version
from antiphon.features.stores.valkey.calls import Calls, Reply
from antiphon.features.stores.valkey.connecting import (
    Settings,
    open_async_client,
    open_client,
    parse_address,
    tls_options,
)
from antiphon.types import Duration

if TYPE_CHECKING:
    from redis import Redis, RedisCluster
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio import RedisCluster as AsyncRedisCluster

    from antiphon.features.stores import ChannelLog


class Commands:
    """Commands for the keys with a prefix. ``remembered`` is how long a call is remembered, in milliseconds.

    All names that belong to a key contain it as a hash tag, which puts them on the key's shard. An entry therefore has
    the same key on one server and in a cluster.
    """

    def __init__(self, calls: Calls, prefix: str, remembered: int) -> None:
        self.is_sharded = calls.settings.address.kind == "cluster"
        self._calls = calls
        self.prefix = prefix
        self.remembered = remembered

    def entry_key(self, id_: str) -> str:
        return f"{self.prefix}e:{id_}"

    def counter_key(self, id_: str) -> str:
        return f"{self.prefix}c:{id_}"

    def index_key(self, owner: bytes) -> bytes:
        return f"{self.prefix}o:".encode() + owner

    def run(self, script: str, key: str | bytes, *arguments: Any, waits: bool = False) -> Reply:
        """Run a script, by its name, for a key, with a unique number for the call. Raises StoreUnavailable."""
        tag = key if isinstance(key, str) else key.decode("utf-8", "backslashreplace")
        keys = [key, f"{self.prefix}a:{{{tag}}}:{token_hex(8)}", f"{self.prefix}t:{{{tag}}}"]
        return self._run(script, keys, arguments, waits)

    def run_on_index(self, script: str, owner: bytes, *arguments: Any) -> Reply:
        """Run a script, by its name and possibly twice, for the index of an owner, whose name may contain braces."""
        return self._run(script, [self.index_key(owner)], arguments)

    def _run(self, script: str, keys: list[Any], arguments: tuple[Any, ...], waits: bool = False) -> Reply:
        together = "" if self.is_sharded else "1"
        return self._calls.run(script, keys, [self.prefix, self.remembered, together, *arguments], waits)

    def fields(self, id_: str) -> dict[bytes, bytes]:
        """Return an entry's fields by name."""
        key = self.entry_key(id_)
        found: dict[bytes, bytes] = self._calls.ask(key, lambda client: client.hgetall(key))
        return found

    def indexed(self, owner: bytes) -> list[tuple[bytes, float]]:
        """Return the entries listed in an index, each with its score."""
        key = self.index_key(owner)
        found: list[tuple[bytes, float]] = self._calls.ask(
            key, lambda client: client.zrange(key, 0, -1, withscores=True)
        )
        return found


def index(commands: Commands, owner: bytes, id_: str, milliseconds: int) -> None:
    """Add an entry to its owner's index for the entry's time to live."""
    commands.run_on_index("index", owner, id_, milliseconds)


def rotate(commands: Commands, old: str, new: str, format_: bytes) -> list[bytes] | None:
    """Move an entry and return its fields, or None if it does not exist or is deleted during the move."""
    move, old_key, new_key = token_hex(8), commands.entry_key(old), commands.entry_key(new)
    taken = commands.run("take", old_key, old, move, format_)
    if taken is None:
        return None
    left, found = taken
    fields = {name: value for name, value in zip(found[::2], found[1::2], strict=True) if name != b"k"}
    placed = [part for pair in fields.items() for part in pair]
    try:
        if b"o" in fields:
            index(commands, fields[b"o"], new, left)
        commands.run("place", new_key, new, left, *placed)
    except StoreUnavailable:
        with suppress(StoreUnavailable):
            commands.run("put_back", old_key, move)
        raise
    if commands.run("end_move", old_key, move):
        return placed
    commands.run("delete", new_key, new, "")
    return None


def delete_owned(commands: Commands, owner: bytes, only: str | None, kept: str) -> int:
    """Delete an owner's entries, including those that get a new key at the same time, and return their number.

    An index may list an entry before it is in place. Entries that were not found are therefore looked up again, after
    the entries that they may come from. By then, each of those has either been set aside, where it is found, or has
    already been put in its new place.
    """
    if only is not None:
        return 0 if only == kept else _delete(commands, owner, only)
    count, done = 0, {kept}
    while True:
        scores = {name.decode(): score for name, score in commands.indexed(owner)}
        if not (fresh := scores.keys() - done):
            return count
        found = {id_ for id_ in fresh if _delete(commands, owner, id_, scores[id_])}
        found |= {id_ for id_ in fresh - found if _delete(commands, owner, id_, scores[id_])}
        count += len(found)
        done |= fresh


def _delete(commands: Commands, owner: bytes, id_: str, score: float | None = None) -> int:
    """Delete an entry if it belongs to an owner and remove it from the index unless its score has changed."""
    deleted: int = commands.run("delete", commands.entry_key(id_), id_, owner)
    if deleted and score is not None:
        with suppress(StoreUnavailable):
            commands.run_on_index("unindex", owner, id_, repr(score))
    return deleted


REMEMBERED = 10
"""How long the server remembers a call that it has replied to, as a multiple of the longest wait."""

NEEDS = "~{prefix}* +@connection +@read +@write +@hash +@sortedset +@string +eval +evalsha +time +cluster|slots +info"
"""The permissions that a Valkey user needs, as for ACL SETUSER."""

PROBES = 64
"""The number of keys to try in order to find one on each shard when a cluster is checked."""


class ValkeyStore(Store):
    """A store in Valkey, or in Redis from version 6.2 on, for any number of machines.

        app = App(store=ValkeyStore("valkey://localhost:6379/0"))

    ``url`` is, for example, "valkey://localhost:6379/0", "valkeys://user:password@host" for TLS, or
    "unix:///run/valkey.sock". For a cluster, use "valkey+cluster://host1,host2:6380", with some of its nodes as hosts.
    Use "valkey+sentinel://host1,host2:26379/name/0" for the primary that Sentinel monitors under that name. With
    "valkeys+" instead of "valkey+", these two use TLS. The schemes of Redis also work. ``prefix`` is prepended to all
    keys on the server.

    ``connect_timeout`` and ``timeout`` are the longest waits for a connection and for a response, in seconds or
    timedeltas. After that, StoreUnavailable (503) is raised.
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
        """For the next second, calls to that server, except ``replace``, raise it immediately; then one call at a time
        tries the server. A process makes at most ``max_connections`` calls at once; further calls wait for up to
        ``timeout``. The readers of channels have additional connections: one, or up to 16 in a cluster. ``ca_file``
        contains the authorities to trust instead of those of the system, and ``certificate`` and ``private_key`` are
        the files for a server that requires a client certificate. ``clock`` returns Unix time in seconds.

        Raises ValueError for any other URL, for a missing file and, in a cluster, for a prefix with braces that are not
        a hash tag. Raises ImportError unless `antiphon[valkey]` is installed.
        """
        connect_timeout, timeout = seconds_of(connect_timeout), seconds_of(timeout)
        check_numbers(1, max_connections=max_connections)
        address = parse_address(url)
        tls = tls_options(address, ssl_ca_certs=ca_file, ssl_certfile=certificate, ssl_keyfile=private_key)
        if address.kind == "cluster" and not re.fullmatch(r"[^{}]*(\{[^{}]+\}[^{}]*)?", prefix):
            raise explained(
                "bad-feature-option",
                f"braces in the prefix of a cluster must be one hash tag, such as {{app}}:, not {prefix!r}",
            )
        settings = Settings(address, connect_timeout, timeout, max_connections, tls)
        self._place = address, prefix
        self._calls = Calls(settings, NEEDS.format(prefix=prefix))
        remembered = _milliseconds(REMEMBERED * (connect_timeout + timeout))
        self._commands = Commands(self._calls, prefix, remembered)
        self.clock = clock

    @property
    def client(self) -> "Redis | RedisCluster":
        """The redis-py client that the store uses in this process, for custom commands. The store closes it.

        In a cluster, it sends each command to the node that holds the key. Its calls are not guarded, so they raise
        redis-py's errors.
        """
        return self._calls.own.client

    _client = client

    def open_client(self, *, timeout: Duration | None = None) -> "Redis | RedisCluster":
        """Return a new redis-py client for the same servers, which the caller has to close.

        ``timeout`` is the longest wait for a response, in seconds or a timedelta. None sets no limit, which blocking
        commands need. In a cluster, the client sends each command to the node that holds the key.
        """
        return open_client(self._settings_for(timeout))

    def open_async_client(self, *, timeout: Duration | None = None) -> "AsyncRedis | AsyncRedisCluster":
        """Return a client as ``open_client`` does, for one event loop. Close it with ``await client.aclose()``."""
        return open_async_client(self._settings_for(timeout))

    def _settings_for(self, timeout: Duration | None) -> Settings:
        return self._calls.settings._replace(timeout=None if timeout is None else seconds_of(timeout))

    def shares_entries(self, other: Store) -> bool:
        return isinstance(other, ValkeyStore) and self._place == other._place  # noqa: SLF001 - of this very class

    def channel_log(self, name: str) -> "ChannelLog":
        """Return the log of all channels or, in a cluster, where a read is limited to one shard, of a group of them."""
        from antiphon.features.stores.valkey.log import ValkeyLog, group_of

        return ValkeyLog(self, group_of(name) if self._commands.is_sharded else 0)

    def load(self, key: str) -> StoreEntry | None:
        return _entry(key, self._commands.fields(_id(key)))

    def change(
        self,
        key: str,
        updates: Mapping[str, Any],
        *,
        ttl: float = Store.FOREVER,
        remove: Iterable[str] = (),
        create: bool = True,
        owner: str | None = None,
    ) -> StoreEntry | None:
        check_ttl(ttl)
        now, id_ = self.clock(), _id(key)
        fields = self._fields(key, updates, ttl, now)
        for name in remove:
            fields += f".{name}", ""
        stored = b"" if owner is None else _owner(owner)
        if stored and self._commands.is_sharded:
            index(self._commands, stored, id_, _milliseconds(ttl))
        arguments = id_, _milliseconds(ttl), now, "1" if create else "", stored, *fields
        found = self._commands.run("change", self._commands.entry_key(id_), *arguments)
        if (entry := _entry(key, found)) is None and create and found:
            raise StoreUnavailable.for_now(has_line=True)  # nothing is written over what can't be read
        return self._indexed(entry, id_, ttl)

    def delete(self, key: str) -> bool:
        id_ = _id(key)
        return bool(self._commands.run("delete", self._commands.entry_key(id_), id_, ""))

    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        old, new, format_ = _id(key), _id(new_key), _format(key)
        if self._commands.is_sharded:
            moved = rotate(self._commands, old, new, format_)
        else:
            moved = self._commands.run("rotate", self._commands.entry_key(old), old, new, format_)
        if not moved:
            self.load(key)  # which logs why it can't be read
        return _entry(new_key, moved)

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        return owned_entries(owner, [(id_.decode(), fields) for id_, fields in self._owned(_owner(owner))], _entry)

    def _owned(self, owner: bytes) -> Reply:
        """Return the names and fields of the entries that belong, or once belonged, to an owner."""
        if self._commands.is_sharded:
            return [(id_, self._commands.fields(id_.decode())) for id_, _ in self._commands.indexed(owner)]
        return self._commands.run("owned", self._commands.index_key(owner), owner)

    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        kept = "" if keep is None else _id(keep)
        if only == "":
            return 0
        if self._commands.is_sharded:
            return delete_owned(self._commands, _owner(owner), only, kept)
        index, stored = self._commands.index_key(_owner(owner)), _owner(owner)
        count: int = self._commands.run("delete_owned", index, stored, only or "", kept)
        return count

    def add(self, key: str, data: Mapping[str, Any], *, ttl: float = Store.FOREVER) -> StoreEntry | None:
        return self._put_all(key, data, ttl, "")

    def replace(
        self, key: str, data: Mapping[str, Any], *, version: int, ttl: float = Store.FOREVER
    ) -> StoreEntry | None:
        # # The caller may have acted since it read the version, so recording that is worth a wait.
        return self._put_all(key, data, ttl, str(version), waits=True)

    def _put_all(
        self, key: str, data: Mapping[str, Any], ttl: float, expected: str, waits: bool = False
    ) -> StoreEntry | None:
        check_ttl(ttl)
        now, id_ = self.clock(), _id(key)
        arguments = id_, _milliseconds(ttl), now, expected, *self._fields(key, data, ttl, now)
        return self._indexed(
            _entry(key, self._commands.run("put", self._commands.entry_key(id_), *arguments, waits=waits)), id_, ttl
        )

    def increment(self, key: str, *, ttl: float = Store.FOREVER, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        count, left = self._commands.run("increment", self._commands.counter_key(_id(key)), _milliseconds(ttl), by)
        return StoreCount(count, left / 1000)

    def check(self) -> None:
        """Raise StoreUnavailable unless the server or, in a cluster, one of the shards responds."""
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
        """Close the connections. A later call opens new ones."""
        self._calls.own.close()

    def _fields(self, key: str, data: Mapping[str, Any], ttl: float, now: float) -> list[str | bytes | int | float]:
        """Return this data as a list of fields, each name before its value."""
        fields: list[str | bytes | int | float] = ["f", _format(key), "v", new_version(), "m", now, "x", now + ttl]
        for name, value in data.items():
            fields += f".{name}", encode_value(name, value)
        return fields

    def _indexed(self, entry: StoreEntry | None, id_: str, ttl: float) -> StoreEntry | None:
        """Return a changed entry, after recording its time to live in its owner's index in a cluster."""
        if self._commands.is_sharded and entry is not None and entry.owner is not None:
            index(self._commands, _owner(entry.owner), id_, _milliseconds(ttl))
        return entry


def _id(key: str) -> str:
    return hash_key(key).hex()


_OF_EMPTY = b"\xff"
"""The owner "", which scripts could not tell from none. No text has these bytes."""


def _owner(owner: str) -> bytes:
    return owner.encode("utf-8", "surrogatepass") or _OF_EMPTY


def _format(key: str) -> bytes:
    return StoredKind.of(key).begin()


def _milliseconds(seconds: float) -> int:
    return ceil(seconds * 1000)


def _entry(key: str, fields: "Mapping[bytes, bytes] | list[bytes] | None") -> StoreEntry | None:
    """Return the entry in a hash, or in a list of names and values; None if it is empty or in an unknown format."""
    if not fields:
        return None
    known = fields if isinstance(fields, Mapping) else dict(zip(fields[::2], fields[1::2], strict=True))
    if not StoredKind.of(key).can_read(int.from_bytes(known.get(b"f", b"")[:1])):
        return None
    try:
        data = {name[1:].decode(): decode_value(value) for name, value in known.items() if name[:1] == b"."}
        created, changed, expires = [float(known[name]) for name in (b"c", b"m", b"x")]
        stored = known.get(b"o")
        owner = None if stored is None else stored.replace(_OF_EMPTY, b"").decode("utf-8", "surrogatepass")
        return StoreEntry(key, data, int(known[b"v"]), created, changed, expires, owner)
    except (ValueError, KeyError) as error:
        StoredKind.of(key).log_unreadable(f"is damaged, {error!r}")
        return None
