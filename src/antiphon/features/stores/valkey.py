"""A store in Valkey, or Redis, for many machines.

An entry is a hash: a field for each name of its data, so that the server itself merges changes; and fields of one
letter for what is known of it. Each method is one round trip, and each change one script, which nothing interrupts.
A client whose connection broke asks again, with the same number of the call: a change that was made is not made again.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import ceil
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from antiphon.explanations import explained
from antiphon.features.stores.circuit_breaker import CircuitBreaker
from antiphon.features.stores.encoding import FORMAT, decode_value, encode_value, log_damaged, log_unknown
from antiphon.features.stores.rows import new_version
from antiphon.features.stores.store import (
    OwnedEntry,
    Store,
    StoreCount,
    StoreEntry,
    check_ttl,
    hash_key,
    unavailable,
)
from antiphon.http.durations import Duration, seconds_of

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

REMEMBERED = 10
"""The number of longest waits for which the server remembers a call that it has answered."""

Reply: TypeAlias = Any
"""The reply to a command, as the client gives it: None, a number, bytes, or a list of these."""

_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}

_SHARED = """
local prefix, format, call, remembered = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local function once(act)
    local known = redis.call('GET', prefix .. 'a:' .. call)
    if known then return known end
    local answer = act()
    if answer then redis.call('SET', prefix .. 'a:' .. call, answer, 'PX', remembered) end
    return answer
end
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function known(id)
    return redis.call('HGET', prefix .. 'e:' .. id, 'f') == format
end
local function disown(id)
    local owner = redis.call('HGET', prefix .. 'e:' .. id, 'o')
    if owner then redis.call('ZREM', prefix .. 'o:' .. owner, id) end
end
local function own(id)
    local entry = prefix .. 'e:' .. id
    local owner = redis.call('HGET', entry, 'o')
    if not owner then return end
    local index = prefix .. 'o:' .. owner
    redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
    redis.call('ZADD', index, now() + redis.call('PTTL', entry), id)
    redis.call('PEXPIREAT', index, redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2])
end
local function owned(owner) -- the index may have entries that expired, and keys that others have by now
    local ids = {}
    for _, id in ipairs(redis.call('ZRANGE', prefix .. 'o:' .. owner, 0, -1)) do
        if redis.call('HGET', prefix .. 'e:' .. id, 'o') == owner then ids[#ids + 1] = id end
    end
    return ids
end
local function read(id)
    return redis.call('HGETALL', prefix .. 'e:' .. id)
end
local function delete(id)
    disown(id)
    return redis.call('DEL', prefix .. 'e:' .. id)
end
local function write(id, first)
    local entry = prefix .. 'e:' .. id
    for at = first, #ARGV, 2 do
        if ARGV[at + 1] == '' then redis.call('HDEL', entry, ARGV[at])
        else redis.call('HSET', entry, ARGV[at], ARGV[at + 1]) end
    end
end
local function create(id, at)
    delete(id)
    redis.call('HSET', prefix .. 'e:' .. id, 'f', format, 'c', at)
end
"""
_CHANGE = """
local id, ttl, at, may_create, owner = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
return once(function()
    if not known(id) then
        if may_create == '' then return false end
        create(id, at)
    end
    write(id, 10)
    if owner ~= '' then
        disown(id)
        redis.call('HSET', prefix .. 'e:' .. id, 'o', owner)
    end
    redis.call('PEXPIRE', prefix .. 'e:' .. id, ttl)
    own(id)
    return id
end) and read(id)
"""
_PUT = """
local id, ttl, at, expected = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local entry = prefix .. 'e:' .. id
return once(function()
    local version = known(id) and redis.call('HGET', entry, 'v') or ''
    if version ~= expected then return false end
    if version == '' then create(id, at) end
    for _, field in ipairs(redis.call('HKEYS', entry)) do
        if string.sub(field, 1, 1) == '.' then redis.call('HDEL', entry, field) end
    end
    write(id, 9)
    redis.call('PEXPIRE', entry, ttl)
    own(id)
    return id
end) and read(id)
"""
_DELETE = "return tonumber(once(function() return delete(ARGV[5]) end))"
_ROTATE = """
local id, new = ARGV[5], ARGV[6]
return once(function()
    if not known(id) then return false end
    disown(id)
    redis.call('RENAME', prefix .. 'e:' .. id, prefix .. 'e:' .. new)
    own(new)
    return new
end) and read(new)
"""
_OWNED = """
local found = {}
for _, id in ipairs(owned(ARGV[5])) do found[#found + 1] = {id, read(id)} end
return found
"""
_DELETE_OWNED = """
local owner, only, kept = ARGV[5], ARGV[6], ARGV[7]
return tonumber(once(function()
    local count = 0
    for _, id in ipairs(owned(owner)) do
        if id ~= kept and (only == '' or id == only) then count = count + delete(id) end
    end
    return count
end))
"""
_INCREMENT = """
local counter, ttl, by = prefix .. 'c:' .. ARGV[5], ARGV[6], ARGV[7]
local function add()
    return redis.call('INCRBY', counter, by)
end
local count = by == '0' and add() or once(add)
local left = redis.call('PTTL', counter)
if left < 0 then
    left = tonumber(ttl)
    redis.call('PEXPIRE', counter, ttl)
end
return {tonumber(count), left}
"""


class ValkeyStore(Store):
    """A store in Valkey, or Redis from 6.2 on, for any number of machines.

    ``url`` is such as "valkey://localhost:6379/0", "valkeys://user:password@host" for TLS, or
    "unix:///run/valkey.sock". Redis's schemes are read, too. ``prefix`` stands before all keys on the server.
    ``connect_timeout`` and ``timeout`` are the longest waits for a connection and for an answer, in seconds or
    timedeltas; after that, StoreUnavailable (503) is raised. Calls in the next second raise it at once, but for
    ``replace``; then one at a time is tried. ``clock`` returns the seconds since 1970. It is for one server and its
    replicas, not for a cluster. Raises ValueError for another URL, and ImportError unless `antiphon[valkey]` is
    installed.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "antiphon:",
        connect_timeout: Duration = 1.0,
        timeout: Duration = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        connect_timeout, timeout = seconds_of(connect_timeout), seconds_of(timeout)
        self._client = _client(url, connect_timeout, timeout)
        self._breaker = _breaker()
        parts = urlsplit(url)
        self._name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # without a password
        self._prefix = prefix
        self._remembered = _milliseconds(REMEMBERED * (connect_timeout + timeout))
        self._clock = clock
        self._change, self._put, self._delete, self._rotate, self._owned, self._delete_owned, self._increment = [
            self._client.register_script(_SHARED + script)
            for script in (_CHANGE, _PUT, _DELETE, _ROTATE, _OWNED, _DELETE_OWNED, _INCREMENT)
        ]

    def load(self, key: str) -> StoreEntry | None:
        return _entry(key, self._ask(partial(self._client.hgetall, f"{self._prefix}e:{_id(key)}")))

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
        now = self._clock()
        fields = self._fields(updates, ttl, now)
        for name in remove:
            fields += f".{name}", ""
        arguments = _id(key), _milliseconds(ttl), now, "1" if create else "", owner or ""
        return _entry(key, self._run(self._change, *arguments, *fields))

    def delete(self, key: str) -> bool:
        return bool(self._run(self._delete, _id(key)))

    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        return _entry(new_key, self._run(self._rotate, _id(key), _id(new_key)))

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        found = [(id_.decode(), _entry("", fields)) for id_, fields in self._run(self._owned, owner)]
        owned = [OwnedEntry(id_, entry.data, *entry[3:6]) for id_, entry in found if entry]
        return sorted(owned, key=lambda entry: entry.created)

    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        kept = "" if keep is None else _id(keep)
        count: int = 0 if only == "" else self._run(self._delete_owned, owner, only or "", kept)
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
        now = self._clock()
        arguments = _id(key), _milliseconds(ttl), now, expected, *self._fields(data, ttl, now)
        return _entry(key, self._run(self._put, *arguments, waits=waits))

    def increment(self, key: str, *, ttl: float, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        count, left = self._run(self._increment, _id(key), _milliseconds(ttl), by)
        return StoreCount(count, left / 1000)

    def close(self) -> None:
        """Close the connections. A call after that opens new ones."""
        self._client.close()

    def _fields(self, data: Mapping[str, Any], ttl: float, now: float) -> list[str | bytes | int | float]:
        """Return the fields that hold these data, each name before its value."""
        fields: list[str | bytes | int | float] = ["v", new_version(), "m", now, "x", now + ttl]
        for name, value in data.items():
            fields += f".{name}", encode_value(name, value)
        return fields

    def _run(self, script: "Script", *arguments: Any, waits: bool = False) -> Reply:
        """Run a script, with a number for the call that no other call has."""
        numbered = [self._prefix, FORMAT, token_hex(8), self._remembered, *arguments]
        return self._ask(partial(script, args=numbered), waits)

    def _ask(self, command: Callable[[], Reply], waits: bool = False) -> Reply:
        """Return the reply to a command, which ``waits`` for it even while the server does not answer others."""
        from redis.exceptions import RedisError

        try:
            return self._breaker.call_unguarded(command) if waits else self._breaker.call(command)
        except RedisError as error:
            raise unavailable(self._name, error) from error


def _client(url: str, connect_timeout: float, timeout: float) -> "Redis":
    """Return a client that connects on first use."""
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES or not rest:
        raise explained("bad-feature-option", ValueError('ValkeyStore needs a URL such as "valkey://localhost:6379/0"'))
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as ConnectionLost
        from redis.retry import Retry
    except ImportError as error:
        raise explained(
            "missing-package", ImportError("ValkeyStore needs the client: pip install 'antiphon[valkey]'")
        ) from error
    # A server that was started again has closed the connections that are here: one more attempt finds that out.
    again = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
    client: Redis = Redis.from_url(
        f"{_SCHEMES[scheme]}://{rest}", socket_connect_timeout=connect_timeout, socket_timeout=timeout, retry=again
    )
    return client


def _breaker() -> CircuitBreaker:
    """Return a guard for a server of which neither a broken connection nor a timeout is an answer."""
    from redis.exceptions import ConnectionError as ConnectionLost
    from redis.exceptions import TimeoutError as TimedOut

    return CircuitBreaker(ConnectionLost, TimedOut)


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
