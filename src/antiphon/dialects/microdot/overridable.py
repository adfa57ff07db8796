"""Methods of an application that a program may replace."""

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from antiphon.dialects.microdot.application import Microdot

F = TypeVar("F", bound=Callable[..., Any])


class Overridable:
    """A method that a program may replace, by a subclass or by an assignment to an application.

    The application notes its replaced methods, so that no request has to look for them.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __set_name__(self, owner: type["Microdot"], name: str) -> None:
        self._name = name

    def __get__(self, app: "Microdot | None", owner: type["Microdot"]) -> Callable[..., Any]:
        if app is None:
            return self.function
        return app.assigned.get(self._name) or MethodType(self.function, app)

    def __set__(self, app: "Microdot", function: Callable[..., Any]) -> None:
        app.assigned = {**app.assigned, self._name: function}
        app.note_overridden()

    def __delete__(self, app: "Microdot") -> None:
        app.assigned = {name: function for name, function in app.assigned.items() if name != self._name}
        app.note_overridden()


def overridable(method: F) -> F:
    """Declare a method as replaceable. Used as a decorator."""
    return Overridable(method)  # type: ignore[return-value]  # it is read as the method is


def overridden_by(cls: type["Microdot"]) -> set[str]:
    """Return the names of the overridable methods that a class replaces."""
    members = [item for base in cls.__mro__ for item in vars(base).items()]
    methods = {name: member.function for name, member in members if isinstance(member, Overridable)}
    return {name for name, function in methods.items() if getattr(cls, name) is not function}
