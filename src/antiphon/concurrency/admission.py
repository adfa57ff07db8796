"""The queue of requests that wait for their turn in an overloaded worker, and the rule by which they are refused.

The rule is that of "Fail at Scale" (Maurer, ACM Queue 13(8), 2015), which adapts CoDel (RFC 8289) to servers: a queue
that was empty a moment ago is a burst, and may wait; one that has been standing for longer is too long, whatever its
length. The pace is the time from one begin to the next.

| state | meaning | next | a request is refused |
|---|---|---|---|
| burst | it was empty within half of the patience | the oldest | after half of the patience |
| standing | it was not | the newest | after a twentieth of the patience, or two paces |

The client of the newest request is the most likely to still be connected. A request is refused at once if those before
it would take half of the patience at this pace (Little's law). Clients have queues of their own, which take turns,
those without a turn so far first, and the longest one is cut (RFC 8290): one that sends a hundred requests delays its
own. Requests of low priority wait until no others do.
"""

import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["begun", "refused", "left"]
"""The end of a request's wait: it begins, is refused, or its client has left."""

observers: set[Callable[[Outcome, float], object]] = set()
"""Functions that are called with the outcome of each wait in this process, and the seconds that it took."""

BURST, STANDING = 2, 20
"""The fractions of the patience for which a queue may be standing, and for which requests wait in a standing queue."""
_WINDOW = 10
"""The part of the patience for which the pace is measured each time."""
_WEIGHT = 0.3
"""The weight of the latest measurement of the pace."""


class Ticket:
    """A request that waits. ``decide`` is called once, with True when it begins and False when it is refused."""

    __slots__ = ("arrived", "client", "decide", "is_low", "is_waiting")

    def __init__(self, client: str, is_low: bool, decide: Callable[[bool], object]) -> None:
        self.client = client
        self.is_low = is_low
        self.decide = decide
        self.arrived = 0.0
        self.is_waiting = False


class _Flows:
    """The tickets of one priority, by client."""

    def __init__(self) -> None:
        self._new: dict[str, deque[Ticket]] = {}
        """Clients without a turn since they began to wait, in the order of their arrival."""
        self._old: dict[str, deque[Ticket]] = {}
        """Clients that had one, in the order of their last turns."""

    def add(self, ticket: Ticket) -> None:
        flow = self._old.get(ticket.client)
        if flow is None:
            flow = self._new.setdefault(ticket.client, deque())
        flow.append(ticket)

    def take(self, newest: bool) -> Ticket | None:
        """Remove and return the ticket whose turn it is; None if none is waiting."""
        while flows := self._new or self._old:
            client = next(reversed(flows) if newest and flows is self._new else iter(flows))
            flow = flows.pop(client)
            ticket = _pop(flow, newest)
            if ticket is not None:
                if flow:
                    self._old[client] = flow
                return ticket
        return None

    def take_from_longest(self) -> Ticket | None:
        """Remove and return the newest ticket of the client with the most; None if none is waiting."""
        while self._new or self._old:
            flows, client = max(
                ((flows, client) for flows in (self._new, self._old) for client in reversed(flows)),
                key=lambda found: len(found[0][found[1]]),
            )
            flow = flows[client]
            ticket = _pop(flow, newest=True)
            if not flow:
                del flows[client]
            if ticket is not None:
                return ticket
        return None

    def discard(self, ticket: Ticket) -> None:
        """Forget a ticket that no longer waits."""
        flows = self._new if ticket.client in self._new else self._old
        if (flow := flows.get(ticket.client)) is not None:
            while flow and not flow[0].is_waiting:
                flow.popleft()
            if not flow:
                del flows[ticket.client]


def _pop(flow: deque[Ticket], newest: bool) -> Ticket | None:
    """Remove the next ticket that still waits."""
    while flow:
        ticket = flow.pop() if newest else flow.popleft()
        if ticket.is_waiting:
            return ticket
    return None


class AdmissionQueue:
    """The requests that wait for their turn, at most ``most``, with a ``patience`` in seconds.

    Its methods are called by one thread at a time.
    """

    def __init__(self, patience: float, most: float = inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._most = most
        self._clock = clock
        self._normal, self._low = _Flows(), _Flows()
        self._by_age: deque[Ticket] = deque()
        self._count = 0
        self._emptied = clock()
        self._pace: float | None = None
        """The seconds between two begins, while requests wait."""
        self._measured_from: float | None = None
        self._begun = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_standing(self) -> bool:
        """True if requests have been waiting without a break for so long that this is not a burst."""
        return self._count > 0 and self._clock() - self._emptied >= self._patience / BURST

    def join(self, ticket: Ticket) -> None:
        """Let a request wait. Requests for which the queue is then too long are refused, perhaps including this one."""
        now = self._clock()
        if not self._count:
            self._emptied, self._measured_from = now, None
        ticket.arrived, ticket.is_waiting = now, True
        self._count += 1
        self._by_age.append(ticket)
        (self._low if ticket.is_low else self._normal).add(ticket)
        while self._count > self._most or (
            self._count > 1 and self._count * (self._pace or 0.0) > self._patience / BURST
        ):
            longest = self._low.take_from_longest() or self._normal.take_from_longest()
            if longest is None:
                return
            self._end_wait(longest, "refused")

    def leave(self, ticket: Ticket) -> None:
        """Forget a request whose client has left."""
        if ticket.is_waiting:
            self._end_wait(ticket, "left")

    def begin(self) -> bool:
        """Let the request whose turn it is begin; return False if none waits."""
        self.expire()
        newest = self.is_standing
        ticket = self._normal.take(newest) or self._low.take(newest)
        if ticket is None:
            return False
        self._measure()
        self._end_wait(ticket, "begun")
        return True

    def expire(self) -> None:
        """Refuse the requests that have waited for too long."""
        limit = self._patience / BURST
        if self.is_standing:
            limit = min(limit, max(self._patience / STANDING, 2 * (self._pace or 0.0)))
        latest = self._clock() - limit
        while self._by_age and (not self._by_age[0].is_waiting or self._by_age[0].arrived <= latest):
            ticket = self._by_age.popleft()
            if ticket.is_waiting:
                self._end_wait(ticket, "refused")

    def _measure(self) -> None:
        now = self._clock()
        if self._measured_from is None:
            self._measured_from, self._begun = now, 0
            return
        self._begun += 1
        elapsed = now - self._measured_from
        if elapsed >= self._patience / _WINDOW:
            pace = elapsed / self._begun
            self._pace = pace if self._pace is None else self._pace + _WEIGHT * (pace - self._pace)
            self._measured_from, self._begun = now, 0

    def _end_wait(self, ticket: Ticket, outcome: Outcome) -> None:
        now = self._clock()
        ticket.is_waiting = False
        (self._low if ticket.is_low else self._normal).discard(ticket)
        self._count -= 1
        if not self._count:
            self._emptied = now
            self._by_age.clear()
        for observer in observers:
            observer(outcome, now - ticket.arrived)
        if outcome != "left":
            ticket.decide(outcome == "begun")
