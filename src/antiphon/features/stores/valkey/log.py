"""Channels in Valkey: a stream for each channel's messages, and a sorted set for its members.

An entry's id in a stream is the message's position. The epoch changes with the server's replication id, which is new
after each start and each failover, when messages may have been lost. The numbering continues. A channel's name decides
which group the channel belongs to. A group is on one shard of a cluster, so one command reads all of its channels.
"""

from collections.abc import Callable, Iterable, Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from antiphon.features.stores import ChannelLog, Entry, Position, hash_key
from antiphon.features.stores.valkey.calls import Reply
from antiphon.features.stores.valkey.connecting import WATCHES
from antiphon.features.stores.valkey.store import ValkeyStore

if TYPE_CHECKING:
    from antiphon.features.stores.valkey.connecting import Client

GROUPS = WATCHES
"""The number of groups of channels in a cluster. Each may be on a separate shard and has its own reader in a
process."""

WOKEN = 60_000
"""The number of milliseconds that a process keeps the stream with which it wakes its own reader."""
TOKEN = 32
"""The length of the token before a member's name."""


def group_of(name: str) -> int:
    """Return the group that a channel belongs to."""
    return hash_key(name)[0] % GROUPS


class ValkeyLog(ChannelLog):
    """The messages and members of a server's channels, or of one group of channels in a cluster."""

    def __init__(self, store: ValkeyStore, group: int = 0) -> None:
        self._calls = store._calls
        self.place = self._calls.name, store._commands.prefix, group
        self._prefix, self._remembered = store._commands.prefix, store._commands.remembered
        longest = self.LONGEST_WATCH
        self._wait = int(min(longest, (self._calls.settings.timeout or longest) / 2) * 1000) or 1
        self._own = f"{self._prefix}{{channels:{group}}}:w:{token_hex(16)}"
        self._woken = b"0-0"

    def append(self, name: str, keep: int, data: bytes) -> Position:
        keys = [self._key(name, "m"), f"{self._key(name, 'a')}:{token_hex(16)}"]
        return _position(self._calls.run("append", keys, [keep, data, self._remembered]))

    def tail(self, name: str, most: int) -> list[Entry]:
        return _entries(self._ask(name, "m", lambda client, key: client.xrevrange(key, count=most)))[::-1]

    def after(self, name: str, position: Position | None) -> list[Entry]:
        first = f"({position}" if position else "-"
        return _entries(self._ask(name, "m", lambda client, key: client.xrange(key, first, count=self.MOST_READ)))

    def watch(self, positions: ChannelLog.Positions) -> dict[str, list[Entry]]:
        names = {self._key(name, "m").encode(): name for name in positions}
        ids: dict[Any, Any] = {key: str(positions[name] or "0-0") for key, name in names.items()}
        ids[self._own] = self._woken
        found = self._calls.watch(self._own, lambda client: client.xread(ids, count=self.MOST_READ, block=self._wait))
        arrived = {}
        for key, entries in _by_key(found):
            if key in names:
                arrived[names[key]] = _entries(entries)
            else:
                self._woken = entries[-1][0]
        return arrived

    def interrupt(self) -> None:
        self._calls.ask(self._own, lambda client: client.xadd(self._own, {"w": 1}, maxlen=1))
        self._calls.ask(self._own, lambda client: client.pexpire(self._own, WOKEN))

    def expire(self, name: str, seconds: float) -> None:
        self._ask(name, "m", lambda client, key: client.pexpire(key, int(seconds * 1000)))

    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        self._calls.run("renew", [self._key(name, "p")], [int(ttl * 1000), *[token + member for member in members]])

    def withdraw(self, name: str, token: str, member: str) -> None:
        self._ask(name, "p", lambda client, key: client.zrem(key, token + member))

    def members(self, name: str) -> list[str]:
        return [member.decode()[TOKEN:] for member in self._calls.run("members", [self._key(name, "p")], [])]

    def _key(self, name: str, kind: str) -> str:
        return f"{self._prefix}{{channels:{group_of(name)}}}:{hash_key(name).hex()}:{kind}"

    def _ask(self, name: str, kind: str, command: "Callable[[Client, str], Reply]") -> Reply:
        key = self._key(name, kind)
        return self._calls.ask(key, lambda client: command(client, key))


def _by_key(found: Reply) -> list[tuple[bytes, Reply]]:
    """Return each stream's entries. RESP2 sends pairs; RESP3 sends a mapping whose values are lists of one list."""
    if not isinstance(found, Mapping):
        return [(key, entries) for key, entries in found or ()]
    return [(key, entries[0] if isinstance(entries[0], list) else entries) for key, entries in found.items()]


def _entries(found: Reply) -> list[Entry]:
    return [Entry(_position(id_), fields[b"d"]) for id_, fields in found]


def _position(id_: bytes) -> Position:
    epoch, _, number = id_.partition(b"-")
    return Position(int(epoch), int(number))
