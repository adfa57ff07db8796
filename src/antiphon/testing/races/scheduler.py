"""The scheduler: threads and callbacks of loops, of which exactly one moves at a time, as a plan decides.

A thread under the scheduler is an actor. Only the actor that has the turn moves; it passes the turn where it waits,
where it ends, and, if its plan has a switch, before a line of the application's own files. Time is virtual: it advances
only when all actors wait.

| state of an actor | meaning | next |
|---|---|---|
| ready | it could move | moving, when it gets the turn |
| moving | it has the turn | ready, waiting, ended |
| waiting | for a condition or a time | ready, as soon as the condition is true or the time has come |
| ended | its function has returned | |

frontrun replaces Python's locks for all code and has no virtual loop, and simloom knows no threads, so this stands on
``sys.monitoring`` and on the documented hooks of asyncio alone.
"""

import ctypes
import sys
import time
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import NamedTuple

OWNER: ContextVar[int] = ContextVar("antiphon_races_owner", default=0)
"""The number of the request or function for which code runs, from 1; 0 for the framework and the test."""

MAX_POINTS = 20_000
"""The number of points after which a run counts as endless."""
FAIR = 2_000
"""The number of points after which an actor that spins lets another one move."""
PATIENCE = 2.0
"""The real seconds for which an actor may be blocked by something that the scheduler does not see."""
UNSEEN = 0.2
"""The real seconds for which something outside of the run may wake an actor if all wait."""
STALL = 1.0
"""The virtual seconds for which a stalled request gets no turn."""
RAISES = 100
"""The number of times that the end is raised in an actor, which may catch it, before the actor is abandoned."""

clock = time.monotonic  # the real one: races replace the module's
sleep = time.sleep


class Ended(BaseException):
    """The end of an actor when its process dies or its run is over. It passes ``except Exception``."""


class Deadlock(AssertionError):
    """All requests wait, and nothing will wake them."""


class Endless(AssertionError):
    """A run takes too many steps."""


class Switch(NamedTuple):
    """A deviation from the default order at a point: the one that would move next lets another one go first.

    With ``stalls``, it gets no turn even while the others sleep.
    """

    point: int
    other: int
    stalls: bool = False


class Fault(NamedTuple):
    """A fault at a point. ``target`` chooses the request whose client leaves."""

    point: int
    kind: str
    target: int = 0


class Plan(NamedTuple):
    """The switches and faults of a run, in the order of their points."""

    switches: tuple[Switch, ...] = ()
    faults: tuple[Fault, ...] = ()


class Place(NamedTuple):
    """A line of the application that is about to run, for a request or function."""

    owner: int
    file: str
    line: int


class Actor:
    """A thread under the scheduler."""

    def __init__(self, name: str, owner: int = 0) -> None:
        self.name = name
        self.owner = owner
        self.gate = allocate_lock()
        self.gate.acquire()
        self.condition: Callable[[], object] | None = None
        self.deadline: float | None = None
        self.has_ended = self.is_stuck = self.is_service = False
        self.raises = 0
        self.ident = 0
        self.place: Place | None = None
        self.head: Callable[[], int] | None = None
        """For a loop: the owner of its next callback."""

    def is_ready(self, now: float) -> bool:
        """True if the actor could move."""
        if self.has_ended or self.is_stuck:
            return False
        if self.condition is None or (self.deadline is not None and self.deadline <= now):
            return True
        return bool(self.condition())


class Scheduler:
    """One run of actors by a plan."""

    def __init__(self, plan: Plan, on_fault: Callable[[Fault], None]) -> None:
        self._switches = list(plan.switches)
        self._faults = list(plan.faults)
        self._on_fault = on_fault
        self.now = 0.0
        self.point = 0
        self.branches: list[int] = []
        """The points at which there was a choice."""
        self.lines: list[int] = []
        """Those before a line of the application or a statement."""
        self.applied: list[Switch] = []
        self.places: list[Place] = []
        self.actors: list[Actor] = []
        self.of_thread: dict[int, Actor] = {}
        self.moving: Actor | None = None
        self.held: dict[int, float] = {}
        """Owners that get a turn only when no other can move, or until a time."""
        self.is_over = False
        self.failure: BaseException | None = None
        self.polls: list[Callable[[float], bool]] = []
        """Functions that wait for files and sockets of a loop for some real seconds."""
        self.finished = allocate_lock()
        self.finished.acquire()
        self._since = self._held_from = 0

    # Actors

    def add(self, actor: Actor) -> Actor:
        """Add an actor, which is ready. Its thread calls ``begin`` first, and ``end`` last."""
        self.actors.append(actor)
        return actor

    def begin(self, actor: Actor) -> None:
        """Make the current thread an actor and wait for its turn."""
        actor.ident = get_ident()
        self.of_thread[actor.ident] = actor
        self._wait_for_turn(actor)

    def end(self, actor: Actor) -> None:
        """End the current thread's actor and pass the turn."""
        actor.has_ended = True
        self.of_thread.pop(get_ident(), None)
        if self.moving is actor and not self.is_over:
            try:
                self._pass_on(actor)
            except Ended:
                return

    def current(self) -> "Actor | None":
        """Return the actor of this thread, or None."""
        return self.of_thread.get(get_ident())

    def start(self) -> None:
        """Give the turn to the first actor."""
        self.moving = self.actors[0]
        self.moving.gate.release()

    # Points

    def line(self, actor: Actor, file: str, line: int) -> None:
        """Pass a point before a line of the application."""
        actor.owner = OWNER.get() or actor.owner
        actor.place = Place(actor.owner, file, line)
        self.step(actor)
        self.places.append(actor.place)

    def step(self, actor: Actor) -> None:
        """Pass a point at which another actor may get the turn."""
        self._check(actor)
        if self.moving is not actor:  # it was stuck, and now no longer is
            actor.is_stuck = False
            self._wait_for_turn(actor)
        others = [each for each in self.actors if each is not actor and each.is_ready(self.now)]
        pick = self.choose([actor.owner, *map(self._owner, others)])
        if self.branches and self.branches[-1] == self.point:
            self.lines.append(self.point)
        self._check(actor)
        self._since = 0 if pick else self._since + 1
        if not pick and others and self._since > FAIR:
            pick, self._since = 1, 0
        if pick:
            self._move(actor, others[pick - 1])

    def block(self, condition: Callable[[], object], deadline: float | None = None) -> bool:
        """Wait until a condition is true. Return False if the virtual time ``deadline`` comes first."""
        actor = self.of_thread[get_ident()]
        while True:
            self._check(actor)
            if condition():
                return True
            if deadline is not None and self.now >= deadline:
                return False
            actor.condition, actor.deadline = condition, deadline
            self._pass_on(actor)
            actor.condition = actor.deadline = None

    def choose(self, owners: Sequence[int]) -> int:
        """Return the index of the one that moves next, by default the first that is not held back."""
        self.point += 1
        if self.point > MAX_POINTS:
            self.fail(Endless(f"the run has not ended after {MAX_POINTS} steps"))
        while self._faults and self._faults[0].point <= self.point:
            self._on_fault(self._faults.pop(0))
        if len(owners) < 2:
            return 0
        first = self._first(owners)
        if len(set(owners)) < 2:
            return first
        self.branches.append(self.point)
        if self.held and self.point > self._held_from + FAIR:
            self.held.clear()  # the others may spin until these have moved
            first = 0
        if self._switches and self._switches[0].point <= self.point:
            first = self._deviate(self._switches.pop(0), owners, first)
        self.held.pop(owners[first], None)
        return first

    def _first(self, owners: Sequence[int]) -> int:
        for index, owner in enumerate(owners):
            if owner not in self.held:
                return index
        order = [*self.held]
        return min(range(len(owners)), key=lambda at: (self.is_stalled(owners[at]), order.index(owners[at])))

    def _deviate(self, switch: Switch, owners: Sequence[int], first: int) -> int:
        put_back = owners[first]
        others = [index for index, owner in enumerate(owners) if owner != put_back]
        others = [index for index in others if owners[index] not in self.held] or others
        if put_back:
            self._held_from = self.point
            self.held.pop(put_back, None)
            self.held[put_back] = self.now + STALL if switch.stalls else 0.0
        self.applied.append(switch._replace(point=self.point))
        return others[switch.other % len(others)]

    def is_stalled(self, owner: int) -> bool:
        """True while an owner gets no turn, even if all others sleep."""
        return self.held.get(owner, 0.0) > self.now

    def _owner(self, actor: Actor) -> int:
        return actor.owner if actor.head is None else actor.head()

    # The turn

    def _pass_on(self, actor: Actor) -> None:
        """Give the turn to an actor that can move; advance the time if none can."""
        patience = clock() + UNSEEN
        while True:
            ready = [each for each in self.actors if each.is_ready(self.now)]
            if awake := [each for each in ready if not self.is_stalled(self._owner(each))]:
                following = awake[self.choose([*map(self._owner, awake)])]
                self._check(actor)
                self._move(actor, following)
                return
            if sum(poll(0.02) for poll in self.polls):
                continue
            if (time_of_next := self._next_time()) is not None:
                self.now = time_of_next
            elif clock() > patience and not any(each.is_stuck for each in self.actors):
                self.fail(Deadlock(self._waits()))
            else:
                sleep(0.001)
            if self.is_over:
                self._check(actor)
                return

    def _next_time(self) -> float | None:
        times = [each.deadline for each in self.actors if each.deadline is not None and not each.has_ended]
        times += [until for until in self.held.values() if until]
        return min((each for each in times if each > self.now), default=None)

    def _move(self, actor: Actor, following: Actor) -> None:
        if following is actor:
            return
        self.moving = following
        following.gate.release()
        if not actor.has_ended:
            self._wait_for_turn(actor)
            self._check(actor)

    def _wait_for_turn(self, actor: Actor) -> None:
        seen = self.point, self._spent()
        while not actor.gate.acquire(timeout=PATIENCE):
            now_seen = self.point, self._spent()
            if now_seen == seen and not self.is_over and actor.is_ready(self.now):
                self._take_from_stuck(actor)
            seen = now_seen

    def _spent(self) -> float:
        """Return the processor time of the thread that has the turn."""
        moving = self.moving
        if moving is None or not moving.ident or not hasattr(time, "pthread_getcpuclockid"):
            return 0.0
        try:
            return time.clock_gettime(time.pthread_getcpuclockid(moving.ident))
        except OSError:
            return -1.0

    def _take_from_stuck(self, actor: Actor) -> None:
        """Take the turn from an actor that something blocks that the scheduler does not see, such as a network."""
        stuck = self.moving
        if stuck is not None and stuck is not actor and not stuck.is_stuck:
            stuck.is_stuck = True
            self.moving = actor
            actor.gate.release()

    def _check(self, actor: Actor) -> None:
        """Raise Ended if the run is over. Code that catches it again and again is abandoned."""
        if not self.is_over:
            return
        actor.raises += 1
        if actor.raises > RAISES:
            actor.has_ended = True
            self.of_thread.pop(get_ident(), None)
            abandoned = allocate_lock()
            abandoned.acquire()
            abandoned.acquire()
        raise Ended

    # The end

    def fail(self, failure: BaseException) -> None:
        """End the run with a failure."""
        self.failure = self.failure or failure
        self.stop()

    def interrupt(self, failure: BaseException) -> None:
        """End the run with a failure while an actor spins in Python, without a line that is a point."""
        self.fail(failure)
        if self.moving is not None and self.moving.ident:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.moving.ident), ctypes.py_object(Ended))

    def stop(self) -> None:
        """End the run: all actors end where they are."""
        if not self.is_over:
            self.is_over = True
            self.finished.release()

    def end_all(self) -> list[Actor]:
        """End the remaining actors one after another, and return those that could not be ended."""
        for actor in sorted(self.actors, key=lambda each: each is not self.moving):
            if not actor.has_ended and actor.gate.locked():
                actor.gate.release()
            limit = clock() + PATIENCE
            while not actor.has_ended and clock() < limit:
                sleep(0)
        return [each for each in self.actors if not each.has_ended]

    def _waits(self) -> str:
        frames = sys._current_frames()
        waiting = [each for each in self.actors if not each.has_ended and each.place is not None]
        lines = [f"{each.name} waits at {each.place.file}:{each.place.line}" for each in waiting if each.place]
        return "; ".join(["all wait, and nothing will wake them", *lines]) if frames else ""
