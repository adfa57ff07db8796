"""The presence of members, as leases in the store: the leases of a process that died run out."""

import logging
from collections import Counter
from contextlib import suppress
from secrets import token_hex
from threading import Condition, Lock, Thread
from typing import NamedTuple

from antiphon.features.channels.log import ChannelLog
from antiphon.features.stores.store import StoreUnavailable

RENEWALS = 3
"""The number of times that a lease is renewed before it would run out."""


class _Lease(NamedTuple):
    channel: str
    ttl: float


class Leases:
    """The members that are present in this process. One thread renews all leases while there are any."""

    def __init__(self, log: ChannelLog) -> None:
        self._log = log
        self._token = token_hex(16)
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._writing = Lock()  # else a renewal could bring back a member that has just left
        self._members: dict[_Lease, Counter[str]] = {}
        self._is_renewing = False

    def enter(self, channel: str, member: str, ttl: float) -> None:
        """Make a member present until ``leave``, unless StoreUnavailable is raised."""
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
        """Count a member as present once less. In an unavailable store the lease runs out."""
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
            with self._writing, suppress(StoreUnavailable):  # which is logged already
                self._log.withdraw(channel, self._token, member)

    def _renew(self) -> None:
        while (pause := self._pause()) is not None:
            with self._lock:
                self._changed.wait(pause)
                leases = [*self._members]
            for lease in leases:
                try:
                    self._renew_one(lease)
                except StoreUnavailable:  # which is logged already
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
