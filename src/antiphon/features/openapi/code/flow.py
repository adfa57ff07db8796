"""The state at one place in the code: the contents of its variables and objects, and where it continues."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon.features.openapi.code.values import (
    NEVER,
    UNKNOWN,
    Closure,
    Either,
    Instance,
    Known,
    Ref,
    Tuple,
    Value,
    alternatives,
    either,
    everything_in,
    parts_of,
    replaced,
    widened,
)

Key: TypeAlias = Any
"""A variable, identified by scope and name, or a ``Ref``.

A name that contains a dot represents the result of a test of an attribute.
"""
State: TypeAlias = dict[Key, Value]

HAS_USER: Key = ((), ".user")
"""A key for the fact that requests without a user were refused."""
_MOST = 16
"""The maximum number of alternatives for one value. A value with more alternatives is unknown."""
_PASSES = 5
"""The number of passes through a loop after which anything that is still changing is unknown."""
_MOST_STEPS = 20_000
"""The maximum number of expressions and parts of values that are followed in one function, since nested loops and
values take exponentially more.
"""


class Stop(Exception):
    """Raised when the code after a place is never reached."""


class Exit(NamedTuple):
    """An exit from a block, and the state at that exit."""

    kind: Literal["return", "break", "continue"]
    value: Value
    state: State


def joined(states: Iterable[State]) -> State:
    """Return the state after several branches. A name that is unbound in some has the values from the others."""
    first, *others = states
    made = dict(first)
    for other in others:
        for key in [key for key in made if _is_said(key) and key not in other]:
            del made[key]
        for key, value in other.items():
            known = made.get(key)
            if known is None:
                if not _is_said(key):
                    made[key] = value
            elif known is not value and known != value:
                made[key] = either(known, value)
    return made


def is_fact(key: Key) -> bool:
    """True for the key of a fact about the request, such as a field's presence, which is kept only if every path
    through the code establishes it.
    """
    return isinstance(key, tuple) and key[0] == () and key[1].startswith(".")


def _is_said(key: Key) -> bool:
    return isinstance(key, tuple) and "." in key[1]


@dataclass
class Flow:
    """The state at the current place in the code, the exits from blocks so far, and the states that error handlers
    see."""

    state: State = field(default_factory=dict)
    exits: list[Exit] = field(default_factory=list)
    watched: list[State] = field(default_factory=list)
    lost: set[Key] = field(default_factory=set)
    """Variables that unread code may set, and global names that the code sets."""
    _steps: int = 0

    def step(self, count: int = 1) -> None:
        """Count an expression, or parts of values. Raises RuntimeError after too many."""
        self._steps += count
        if self._steps > _MOST_STEPS:
            raise RuntimeError("its loops or its values are nested too deeply")

    def set(self, key: Key, value: Value) -> None:
        """Set a variable or an object's content."""
        if isinstance(value, Either) and len(value.values) > _MOST:
            self.escape(value)
            value = UNKNOWN
        self.state[key] = value
        for seen in self.watched:
            seen[key] = either(seen[key], value) if key in seen else value

    def forget_attributes(self) -> None:
        """Forget the results of tests of attributes, which other code may change."""
        for state in (self.state, *self.watched):
            for key in [key for key in state if _is_said(key) and not is_fact(key)]:
                del state[key]

    def always(self, part: str, what: Any) -> None:
        """Record that a part of the request is present, because it was read."""
        self.state[(), f".{part} {what}"] = NEVER

    # Objects

    def make(self, place: tuple[Any, ...], content: Value) -> Ref:
        """Return a new object created at a place."""
        made, older = Ref(place), Ref(place, is_older=True)
        if made in self.state:
            self.step(len(self.state) * (1 + len(self.watched)))
            for state in (self.state, *self.watched):
                for key, value in [*state.items()]:
                    state[key] = replaced(value, lambda ref: older if ref == made else ref)
            latest = self.state.pop(made)
            self.set(older, either(latest, self.state.get(older, NEVER)))
        self.set(made, content)
        return made

    def content(self, value: Value) -> Value:
        """Return a value; for objects, return their contents."""
        if isinstance(value, Ref):
            return self.state.get(value, UNKNOWN)
        if isinstance(value, Either):
            return either(*map(self.content, value.values))
        return value

    def change(self, value: Value, change: Callable[[Value], Value]) -> None:
        """Change the content of every object that a value may refer to. If there are several, each may also stay
        unchanged.
        """
        refs = [each for each in alternatives(value) if isinstance(each, Ref)]
        is_certain = len(alternatives(value)) == 1
        for ref in refs:
            before = self.content(ref)
            after = either(*map(change, alternatives(before)))
            self.set(ref, after if is_certain and not ref.is_older else either(before, after))

    def escape(self, *values: Value) -> None:
        """Make the objects in values unknown, because code that is not analyzed may change them from now on."""
        left, seen = [*values], set[int]()
        for value in left:
            if isinstance(value, Ref):
                content = self.content(value)
                left.append(content)
                kept = [
                    Instance(each.type, (), is_shared=True)
                    for each in alternatives(content)
                    if isinstance(each, Instance)
                ]
                now = either(*kept) if len(kept) == len(alternatives(content)) else UNKNOWN
                if content != now:
                    self.set(value, now)
            elif isinstance(value, Closure) and id(value.node) not in seen:  # it may refer to itself
                seen.add(id(value.node))
                left += value.frame.captured(value.node)
            elif value is not UNKNOWN:
                left += parts_of(value)

    def frozen(self, value: Value) -> Value:
        """Return a value with the current contents of its objects. An object that contains itself is unknown."""
        return self._frozen(value, ())

    def _frozen(self, value: Value, above: tuple[Ref, ...]) -> Value:
        self.step()
        if isinstance(value, Closure):
            return UNKNOWN
        return replaced(value, lambda ref: UNKNOWN if ref in above else self._frozen(self.content(ref), (*above, ref)))

    def holds_objects(self, *values: Value) -> bool:
        """True if any value is or contains an object or a closure, which a function may change."""
        return any(isinstance(each, Ref | Closure) for value in values for each in everything_in(value))

    # Branches

    def attempt(self, way: Callable[[], Any]) -> State | None:
        """Follow a branch and return the state at its end, or None if the code doesn't continue."""
        try:
            way()
        except Stop:
            return None
        return self.state

    def branch(self, *ways: Callable[[], Any]) -> Value:
        """Follow several branches, one of which is taken, and return their joint result. Raises Stop if none
        continues."""
        before, ends, values = self.state, list[State](), list[Value]()
        for way in ways:
            self.state = dict(before)
            try:
                value = way()
            except Stop:
                continue
            ends.append(self.state)
            values.append(NEVER if value is None else value)
        if not ends:
            raise Stop
        self.state = joined(ends)
        return either(*values)

    def watch(self, way: Callable[[], Any]) -> tuple[State | None, State]:
        """Follow a path. Return the state at its end, and all states on the path in which an error may occur."""
        self.watched.append(dict(self.state))
        end = self.attempt(way)
        return end, self.watched.pop()

    def take_exits(self, mark: int, *kinds: str) -> list[Exit]:
        """Remove the exits of these kinds that were made after the given mark and return them."""
        taken = [each for each in self.exits[mark:] if each.kind in kinds]
        self.exits[mark:] = [each for each in self.exits[mark:] if each.kind not in kinds]
        return taken

    def loop(self, body: Callable[[], Any], restore: Callable[[], None]) -> tuple[State, list[Exit]]:
        """Follow a loop's body as if it ran any number of times. Return the state before any one of the passes, and the
        ``break`` exits. ``restore`` discards the findings of the last pass; the next pass starts from a state that
        includes the last one's end.
        """
        mark, passes, moving = len(self.exits), 0, set[Key]()
        while True:
            before, passes = dict(self.state), passes + 1
            end = self.attempt(body)
            again = [each.state for each in self.take_exits(mark, "continue")]
            after = joined([before, *again, *([end] if end is not None else [])])
            after |= {key: widened(after[key]) for key in moving}  # such as a counter
            changed = [key for key, value in after.items() if before.get(key) != value]
            if passes > _PASSES:
                changed = [key for key in changed if before.get(key) is not UNKNOWN]
            if not changed:
                self.state = dict(before)
                return before, self.take_exits(mark, "break")
            del self.exits[mark:]
            restore()
            self.state = after
            moving.update(changed)
            if passes >= _PASSES:
                for key in changed:
                    self.escape(after[key])
                    self.set(key, UNKNOWN)


def items_known(value: Value) -> list[Any] | None:
    """Return the items of a known collection, or a single known value; None if they aren't all known."""
    if isinstance(value, Known):
        held = value.value
        return [*held] if isinstance(held, list | tuple | set | frozenset | dict) else [held]
    if isinstance(value, Tuple) and all(isinstance(each, Known) for each in value.items):
        return [each.value for each in value.items if isinstance(each, Known)]
    return None
