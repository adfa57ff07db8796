"""The same done with two libraries: what comes of it is to be the same."""

from collections.abc import Callable
from operator import methodcaller
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import SearchStrategy
from werkzeug import datastructures as original

from antiphon.dialects.werkzeug import datastructures as dialect


class Outcome(NamedTuple):
    value: Any
    error: type[BaseException] | None


def outcome(call: Callable[..., Any], *arguments: Any) -> Outcome:
    """What comes of a call."""
    try:
        return Outcome(call(*arguments), None)
    except Exception as error:
        return Outcome(None, type(error))


def same(theirs: Outcome, ours: Outcome) -> None:
    """Fail unless both gave the same, or raised errors of the same kind."""
    if theirs.error is None:
        assert ours.error is None, f"{ours.error} where the original gives {theirs.value!r}"
        assert ours.value == theirs.value
    else:
        assert ours.error is not None, f"{ours.value!r} where the original raises {theirs.error}"
        assert ours.error.__name__ == theirs.error.__name__


def step(method: str, *strategies: SearchStrategy[Any]) -> Any:
    """A rule that calls this method of both with arguments of these strategies."""

    @rule(arguments=st.tuples(*strategies))
    def call(self: Any, arguments: tuple[Any, ...]) -> None:
        self.both(methodcaller(method, *arguments))

    return call


class InStep(RuleBasedStateMachine):
    """An object of each library, of the class with this name, changed in the same way: all looks show the same."""

    name: str
    looks: list[Callable[[Any], object]]

    def __init__(self):
        super().__init__()
        self.theirs, self.ours = getattr(original, self.name)(), getattr(dialect, self.name)()

    def both(self, call):
        same(outcome(call, self.theirs), outcome(call, self.ours))

    popitem = step("popitem")
    clear = step("clear")

    @invariant()
    def shows_the_same(self):
        for look in self.looks:
            self.both(look)
