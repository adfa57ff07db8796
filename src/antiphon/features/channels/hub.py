"""One store's channels in this process: sending, listening, and members' presence, kept as leases in the store."""

import logging
import os
import time
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from random import SystemRandom
from secrets import token_hex
from threading import Condition, Lock, Thread
from typing import NamedTuple
from weakref import WeakKeyDictionary, WeakValueDictionary

from antiphon import explained
from antiphon.features import MemoryStore, Store, StoreUnavailable
from antiphon.features.channels.feed import Feed, Keep
from antiphon.features.stores import ChannelLog, Entry, Position

RENEWALS = 3
"""The number of times that a lease is renewed before it would expire."""


class _Lease(NamedTuple):
    channel: str
    ttl: float


class Leases:
    """The members present in this process. While any are present, one thread renews all leases."""

    def __init__(self, log: ChannelLog) -> None:
        self._log = log
        self._token = token_hex(16)
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._writing = Lock()  # else a renewal could restore a member that has just left
        self._members: dict[_Lease, Counter[str]] = {}
        self._is_renewing = False

    def enter(self, channel: str, member: str, ttl: float) -> None:
        """Make a member present until ``leave``, unless this raises StoreUnavailable."""
        self._log.renew(channel, self._token, [member], ttl)
        with self._lock:
            if all(ttl < lease.ttl for lease in self._members):
                self._changed.notify_all()
            self._members.setdefault(_Lease(channel, ttl), Counter())[member] += 1
            starts = not self._is_renewing
            self._is_renewing = True
        if starts:
            Thread(target=self._renew, name="antiphon-presence", daemon=True).start()

    def leave(self, channel: str, member: str, ttl: float) -> None:
        """Decrease the count of a member's presences. If the store is unavailable, the lease expires."""
        lease = _Lease(channel, ttl)
        with self._lock:
            members = self._members[lease]
            members[member] -= 1
            is_last = not members[member]
            if is_last:
                del members[member]
            if not members:
                del self._members[lease]
        if is_last:
            with self._writing, suppress(StoreUnavailable):  # which is already logged
                self._log.withdraw(channel, self._token, member)

    def _renew(self) -> None:
        while (pause := self._pause()) is not None:
            with self._lock:
                self._changed.wait(pause)
                leases = [*self._members]
            for lease in leases:
                try:
                    self._renew_one(lease)
                except StoreUnavailable:  # which is already logged
                    break
                except Exception:
                    logging.getLogger("antiphon").exception("members of channels can't be renewed")

    def _renew_one(self, lease: _Lease) -> None:
        with self._writing:
            with self._lock:
                members = [*self._members.get(lease, ())]
            if members:
                self._log.renew(lease.channel, self._token, members, lease.ttl)

    def _pause(self) -> float | None:
        """Return the seconds until the next renewal, or None if there is nothing to renew."""
        with self._lock:
            if not self._members:
                self._is_renewing = False
                return None
            return min(lease.ttl for lease in self._members) / RENEWALS


FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""The seconds between attempts to read a store that does not respond: the first pause, and the longest. Between these,
each pause is twice as long as the one before it.
"""


MOST_UNUSED = 10_000
"""The number of channels in memory whose messages are kept while the channels have no listeners."""


class Hub(ABC):
    """A store's channels in one process. Methods can be called from all threads unless documented otherwise."""

    blocks: bool
    """True if methods wait for a disk or a network."""

    @abstractmethod
    def send(self, name: str, keep: Keep, data: bytes) -> Position:
        """Store a message and return its position."""

    @abstractmethod
    def joined(self, name: str, keep: Keep) -> Feed | None:
        """Return a channel's feed for one more user without waiting, or None if the feed has to be loaded."""

    @abstractmethod
    def join(self, name: str, keep: Keep) -> Feed:
        """Return a channel's feed for one more user, loading it if necessary."""

    @abstractmethod
    def leave(self, feed: Feed) -> None:
        """Record that one of a feed's users has left."""

    @abstractmethod
    def catch_up(self, feed: Feed) -> None:
        """Add messages stored in the meantime to a feed."""

    @abstractmethod
    def expire(self, name: str, seconds: float) -> None:
        """Schedule a channel's messages to be forgotten in this many seconds, replacing any earlier schedule.

        With 0, a channel without listeners is forgotten at once.
        """

    @abstractmethod
    def enter(self, name: str, member: str, ttl: float) -> None:
        """Make a member present until ``exit``, or until ``ttl`` seconds after the end of this process."""

    @abstractmethod
    def exit(self, name: str, member: str, ttl: float) -> None:
        """Decrease the count of a member's presences."""

    @abstractmethod
    def members(self, name: str) -> list[str]:
        """Return the members that are present, in any order, possibly with duplicates."""


class MemoryHub(Hub):
    """Channels in the memory of one process: the feeds are the store.

    A feed without users is forgotten if it has no messages. Of the others without users, only the MOST_UNUSED most
    recently used are kept.
    """

    blocks = False

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}
        self._unused: OrderedDict[str, None] = OrderedDict()
        self._expiring: OrderedDict[str, float] = OrderedDict()
        """The times at which feeds are forgotten, by the ``monotonic`` clock."""
        self._lock = Lock()
        self._epoch = time.time_ns() // 1_000_000
        self._members: dict[str, Counter[str]] = {}

    def send(self, name: str, keep: Keep, data: bytes) -> Position:
        with self._lock:
            feed = self._use(name, keep)
            before = feed.position
            epoch, number = (before.epoch, before.number) if before else (self._epoch, 0)
            position = Position(epoch, number + 1)
            feed.publish([Entry(position, data)], before)
            self._leave(feed)
        return position

    def joined(self, name: str, keep: Keep) -> Feed:
        with self._lock:
            return self._use(name, keep)

    def join(self, name: str, keep: Keep) -> Feed:
        return self.joined(name, keep)

    def leave(self, feed: Feed) -> None:
        with self._lock:
            self._leave(feed)

    def _use(self, name: str, keep: Keep) -> Feed:
        feed = self._feeds.get(name)
        if feed is None:
            feed = self._feeds[name] = Feed(name, keep)
        self._unused.pop(name, None)
        feed.keep = feed.keep.widened(keep)
        feed.users += 1
        return feed

    def _leave(self, feed: Feed) -> None:
        feed.users -= 1
        if feed.users:
            return
        if feed.position is None:
            del self._feeds[feed.name]
            self._expiring.pop(feed.name, None)
            return
        self._unused[feed.name] = None
        if len(self._unused) > MOST_UNUSED:
            self._forget(next(iter(self._unused)))

    def _forget(self, name: str) -> None:
        del self._unused[name], self._feeds[name]
        self._expiring.pop(name, None)
        self._epoch += 1  # so that no new message has the id of a forgotten one

    def catch_up(self, feed: Feed) -> None:
        """Do nothing: the feed is the store."""

    def expire(self, name: str, seconds: float) -> None:
        with self._lock:
            now = time.monotonic()
            if name in self._feeds:
                self._expiring[name] = now + seconds
                self._expiring.move_to_end(name, last=seconds > 0)
            for each in [*islice(self._expiring, 4)]:  # more than a write adds
                self._expiring.move_to_end(each)
                if self._expiring[each] <= now and each in self._unused:
                    self._forget(each)

    def enter(self, name: str, member: str, ttl: float) -> None:  # noqa: ARG002 - the process is the store
        with self._lock:
            self._members.setdefault(name, Counter())[member] += 1

    def exit(self, name: str, member: str, ttl: float) -> None:  # noqa: ARG002
        with self._lock:
            members = self._members[name]
            members[member] -= 1
            if not members[member]:
                del members[member]
            if not members:
                del self._members[name]

    def members(self, name: str) -> list[str]:
        with self._lock:
            return [*self._members.get(name, ())]


class StoredHub(Hub):
    """Channels in a store that other processes also use. One thread reads it while anyone listens."""

    blocks = True

    def __init__(self, log: ChannelLog) -> None:
        self._log = log
        self._feeds: dict[str, Feed] = {}
        self._lock = Lock()
        self._is_reading = False
        self._leases = Leases(log)

    def send(self, name: str, keep: Keep, data: bytes) -> Position:
        return self._log.append(name, keep.most, data)

    def joined(self, name: str, keep: Keep) -> Feed | None:
        with self._lock:
            feed = self._feeds.get(name)
            if feed is None or not feed.is_loaded:
                return None
            return self._use(feed, keep)

    def join(self, name: str, keep: Keep) -> Feed:
        with self._lock:
            feed = self._use(self._feeds.setdefault(name, Feed(name, keep)), keep)
        if not feed.is_loaded:
            try:
                with feed.loading:
                    if not feed.is_loaded:
                        feed.load(self._log.tail(name, feed.keep.most))
            except BaseException:
                self.leave(feed)
                raise
            self._read()
        return feed

    def _use(self, feed: Feed, keep: Keep) -> Feed:
        feed.keep = feed.keep.widened(keep)
        feed.users += 1
        return feed

    def leave(self, feed: Feed) -> None:
        with self._lock:
            feed.users -= 1

    def catch_up(self, feed: Feed) -> None:
        while True:
            position = feed.position
            entries = self._log.after(feed.name, position)
            feed.publish(entries, position)
            if len(entries) < ChannelLog.MOST_READ:
                return

    def expire(self, name: str, seconds: float) -> None:
        self._log.expire(name, seconds)

    def enter(self, name: str, member: str, ttl: float) -> None:
        self._leases.enter(name, member, ttl)

    def exit(self, name: str, member: str, ttl: float) -> None:
        self._leases.leave(name, member, ttl)

    def members(self, name: str) -> list[str]:
        return self._log.members(name)

    # The reader

    def _read(self) -> None:
        """Make the reader include a loaded feed and start the reader if necessary."""
        with self._lock:
            starts = not self._is_reading
            self._is_reading = True
        if starts:
            Thread(target=self._run, name="antiphon-channels", daemon=True).start()
        else:
            self._log.interrupt()

    def _run(self) -> None:
        pause = 0.0
        while (positions := self._positions()) is not None:
            try:
                if pause:
                    self._verify(positions)
                    pause = 0.0
                else:
                    self._publish(positions, self._log.watch(positions))
            except Exception as error:
                if self._forget_unused():  # the store may have been closed
                    continue
                if not isinstance(error, StoreUnavailable):  # which is already logged
                    logging.getLogger("antiphon").exception("messages of channels can't be read")
                pause = min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
                time.sleep(pause * SystemRandom().uniform(0.5, 1))  # so that processes don't all retry at once

    def _positions(self) -> ChannelLog.Positions | None:
        """Return the positions of the feeds in use, or None to end if there are none."""
        self._forget_unused()
        with self._lock:
            if not self._feeds:
                self._log.close()
                self._is_reading = False
                return None
            return {feed.name: feed.position for feed in self._feeds.values() if feed.is_loaded}

    def _forget_unused(self) -> bool:
        """Forget feeds without users. Return True if no feed is left."""
        with self._lock:
            for feed in [*self._feeds.values()]:
                if not feed.users:
                    del self._feeds[feed.name]
            return not self._feeds

    def _publish(self, positions: ChannelLog.Positions, arrived: Mapping[str, Sequence[Entry]]) -> None:
        for name, entries in arrived.items():
            if (feed := self._feeds.get(name)) is not None:
                feed.publish(entries, positions[name])

    def _verify(self, positions: ChannelLog.Positions) -> None:
        """Check whether a store that was unavailable has lost messages, and notify the listeners of its channels."""
        for name, known in positions.items():
            newest = self._log.newest(name)
            feed = self._feeds.get(name)
            if feed is not None and known is not None and (newest is None or newest < known):
                feed.rewind(known, newest)


_in_memory: "WeakKeyDictionary[Store, MemoryHub]" = WeakKeyDictionary()
_stored: "WeakValueDictionary[Hashable, StoredHub]" = WeakValueDictionary()
_lock = Lock()


def hub_of(store: Store, name: str, feature: str) -> Hub:
    """Return the hub for a channel. Raises TypeError, naming the feature, for a store that can't keep channels."""
    with _lock:
        if isinstance(store, MemoryStore):
            return _in_memory.setdefault(store, MemoryHub())
        log = store.channel_log(name)
        if log is not None:
            key = os.getpid(), type(log), log.place
            hub = _stored.get(key)
            if hub is None:
                hub = _stored[key] = StoredHub(log)
            return hub
    raise explained(
        "bad-feature-option",
        f"{feature} needs a MemoryStore or a store that keeps channels, such as {Store.ON_SERVER}, not"
        f" {type(store).__name__}",
        TypeError,
    )
