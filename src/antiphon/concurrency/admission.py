"""The queue of requests waiting for their turn in an overloaded worker, and the rule by which they are refused.

The rule comes from "Fail at Scale" (Maurer, ACM Queue 13(8), 2015), which adapts CoDel (RFC 8289) to servers. A queue
that was empty a moment ago is a burst, and its requests may wait; a queue that has been standing for longer is too
long, regardless of its length. Requests wait a twentieth as long in it, as in that paper (100 and 5 milliseconds). The
pace is the time from one start to the next.

| state | meaning | next | a request is refused |
|---|---|---|---|
| burst | it was empty within half of the patience | the oldest | after half of the patience |
| standing | it was not, or only since requests were refused | the newest | after a fortieth of it, or two paces |

The client of the newest request is the most likely to still be connected. A request is refused at once if, at this
pace, the requests before it would take longer than it may wait (Little's law). Each client has its own queue. The
queues take turns, starting with those that have not had one, and the longest queue is cut (RFC 8290): a client that
sends a hundred requests delays only its own. Low-priority requests wait until no others do.
"""

import time
from collections import deque
from collections.abc import Callable
from itertools import takewhile
from math import inf

from antiphon.concurrency.process import WaitOutcome, wait_observers

BURST, STANDING = 2, 40
"""The divisors of the patience that give how long a queue may be standing, and how long requests wait in a standing
queue.
"""
_WINDOW = 10
"""The divisor of the patience that gives the time for each measurement of the pace."""
_WEIGHT = 0.3
"""The weight of the latest measurement of the pace."""


class Ticket:
    """A waiting request. ``decide`` is called once: with True when it begins, or with False when it is refused or its
    client, connected at ``port``, has left.
    """

    __slots__ = ("arrived", "client", "decide", "is_low", "is_waiting", "port")

    def __init__(self, client: str, is_low: bool, decide: Callable[[bool], object], port: int | None = None) -> None:
        self.client = client
        self.is_low = is_low
        self.decide = decide
        self.port = port
        self.arrived = 0.0
        self.is_waiting = False


class _Flows:
    """The tickets of one priority, by client."""

    def __init__(self) -> None:
        self._new: dict[str, deque[Ticket]] = {}
        """Clients that have not had a turn since they began to wait, in the order of their arrival."""
        self._old: dict[str, deque[Ticket]] = {}
        """Clients that have had a turn, in the order of their last turns."""

    def add(self, ticket: Ticket) -> None:
        flow = self._old.get(ticket.client)
        if flow is None:
            flow = self._new.setdefault(ticket.client, deque())
        flow.append(ticket)

    def take(self, newest: bool) -> Ticket | None:
        """Remove and return the next ticket in turn; None if none is waiting."""
        while flows := self._new or self._old:
            client = next(reversed(flows) if newest and flows is self._new else iter(flows))
            flow = flows.pop(client)
            ticket = _pop(flow, newest)
            if ticket is not None:
                if flow:
                    # At the end, behind all that have waited for their turn.
                    self._old[client] = flow
                return ticket
        return None

    def take_from_longest(self, newest: bool) -> Ticket | None:
        """Remove and return a ticket of the client with the most tickets; None if none is waiting."""
        while self._new or self._old:
            flows, client = max(
                ((flows, client) for flows in (self._new, self._old) for client in reversed(flows)),
                key=lambda found: len(found[0][found[1]]),
            )
            flow = flows[client]
            ticket = _pop(flow, newest)
            if not flow:
                del flows[client]
            if ticket is not None:
                return ticket
        return None

    def has_share(self, client: str, count: int) -> bool:
        """Return True if a client has at least an average number of the ``count`` tickets."""
        flow = self._old.get(client) or self._new.get(client)
        clients = len(self._old) + len(self._new)
        return flow is not None and len(flow) * clients >= count

    def discard(self, ticket: Ticket) -> None:
        """Forget a ticket that is no longer waiting."""
        flows = self._new if ticket.client in self._new else self._old
        if (flow := flows.get(ticket.client)) is not None:
            while flow and not flow[0].is_waiting:
                flow.popleft()
            if not flow:
                del flows[ticket.client]


def _pop(flow: deque[Ticket], newest: bool) -> Ticket | None:
    """Remove the next ticket that is still waiting."""
    while flow:
        ticket = flow.pop() if newest else flow.popleft()
        if ticket.is_waiting:
            return ticket
    return None


class AdmissionQueue:
    """The requests waiting for their turn, at most ``most`` of them, with a ``patience`` in seconds.

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
        self._refused = -inf
        """The time of the last refusal."""
        self._pace: float | None = None
        """The number of seconds between two starts, while requests wait."""
        self._measured_from: float | None = None
        self._begun = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_standing(self) -> bool:
        """True if requests have been waiting without a break for too long to be a burst."""
        return self._count > 0 and self._clock() - self._emptied >= self._patience / BURST

    def join(self, ticket: Ticket) -> None:
        """Let a request wait. Requests for which the queue is now too long are refused, possibly including this one."""
        now = self._clock()
        if not self._count:
            # The time in which nobody waited says nothing about the pace.
            self._measured_from = None
            self._note_empty(now)
        ticket.arrived, ticket.is_waiting = now, True
        self._count += 1
        self._by_age.append(ticket)
        (self._low if ticket.is_low else self._normal).add(ticket)
        while self._is_too_long(self._count):
            # The one that would begin last: a burst begins with its oldest, a standing queue with its newest.
            newest = not self.is_standing
            # Low-priority requests first, since they would begin last.
            longest = self._low.take_from_longest(newest) or self._normal.take_from_longest(newest)
            if longest is None:
                return
            self._end_wait(longest, "refused")

    def refuses(self, client: str, is_low: bool) -> bool:
        """Return True if a request must be refused at once: the queue is full, and its client already has its share."""
        if not self._is_too_long(self._count + 1):
            return False
        refused = (self._low if is_low else self._normal).has_share(client, self._count)
        if refused:
            self._refused = self._clock()
            for observer in wait_observers:
                observer("refused", 0.0)
        return refused

    def _is_too_long(self, count: int) -> bool:
        """Return True if this many requests may not wait, or if the last of them would wait too long."""
        return count > self._most or (count > 1 and count * (self._pace or 0.0) > self._longest)

    @property
    def _longest(self) -> float:
        """The seconds that a request may wait."""
        if not self.is_standing:
            return self._patience / BURST
        # Two paces, so that a slow worker is never idle because all were refused before its next start.
        return min(self._patience / BURST, max(self._patience / STANDING, 2 * (self._pace or 0.0)))

    def leave(self, ticket: Ticket) -> None:
        """Forget a request whose client has left."""
        if ticket.is_waiting:
            self._end_wait(ticket, "left")

    def drop(self, has_left: Callable[[int | None, float], bool], waited: float) -> None:
        """End the waits of requests whose clients have left, if they have waited for so many seconds."""
        latest = self._clock() - waited
        for ticket in list(takewhile(lambda ticket: ticket.arrived < latest, self._by_age)):
            if ticket.is_waiting and has_left(ticket.port, latest):
                self._end_wait(ticket, "left")
                ticket.decide(False)

    def begin(self) -> bool:
        """Let the next request in turn begin. Return False if none is waiting."""
        self.expire()
        newest = self.is_standing
        ticket = self._normal.take(newest) or self._low.take(newest)
        if ticket is None:
            return False
        self._measure()
        self._end_wait(ticket, "begun")
        return True

    def expire(self) -> None:
        """Refuse the requests that have waited too long."""
        latest = self._clock() - self._longest
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

    def _note_empty(self, now: float) -> None:
        if now - self._refused >= self._patience / BURST:  # else it is empty only because others were refused
            self._emptied = now

    def _end_wait(self, ticket: Ticket, outcome: WaitOutcome) -> None:
        now = self._clock()
        if outcome == "refused":
            self._refused = now
        # Before the discard, which drops the tickets that no longer wait.
        ticket.is_waiting = False
        (self._low if ticket.is_low else self._normal).discard(ticket)
        self._count -= 1
        if not self._count:
            self._note_empty(now)
            # All that are left in it have begun, or their clients have left.
            self._by_age.clear()
        for observer in wait_observers:
            observer(outcome, now - ticket.arrived)
        if outcome != "left":
            ticket.decide(outcome == "begun")
