"""Errors for programmers, each with an id that ``antiphon explain`` accepts, and advice on settings."""

from collections.abc import Callable
from functools import wraps
from math import inf
from typing import Any, TypeVar, overload

E = TypeVar("E", bound=BaseException)
C = TypeVar("C", bound=type)


@overload
def explained(kind: str, error: str) -> ValueError: ...
@overload
def explained(kind: str, error: str, cls: type[E]) -> E: ...
@overload
def explained(kind: str, error: E) -> E: ...
def explained(kind: str, error: Any, cls: type[BaseException] = ValueError) -> BaseException:
    """Return an error with a note (PEP 678) that names the command to explain its kind. ``error`` is the error, or its
    message, for one of type ``cls``.

    ``kind`` is an id for ``antiphon explain``. Another package's ids begin with the name of its entry point in the
    ``antiphon.explanations`` group and a dot: ``raise explained("flags.unknown-flag", LookupError(...))``. The
    package's errors.md explains them.
    """
    made: BaseException = cls(error) if isinstance(error, str) else error
    made.add_note(f"{COMMAND} {kind}")
    return made


def check_numbers(least: float = 0, /, **options: float | None) -> None:
    """Raise ValueError, naming the option, for one that is not above 0, or is below a ``least`` of 1 or more. None
    passes.
    """
    for name, number in options.items():
        if number is not None and not (number >= least and 0 < number < inf):
            wanted = f"{least} or more" if least else "a number above 0"
            raise explained("bad-feature-option", f"{name} must be {wanted}, not {number!r}")


def errors_name_it(feature: C) -> C:
    """Decorate a feature class so that errors of its constructor and its ``install`` begin with the feature's name.

    Such errors are often raised by code that many features share and that doesn't know which feature called it.
    Messages that already contain the name are unchanged, as are errors other than ValueError, TypeError and
    RuntimeError themselves. The error for another framework's argument gets a note with Antiphon's equivalent.
    """
    for name in ("__init__", "__post_init__", "install"):
        if name in vars(feature):
            setattr(feature, name, _adding_to_errors(vars(feature)[name], _name_feature))
    _FEATURES.append(feature)
    return feature


def arguments_name_ours(cls: C) -> C:
    """Decorate a class so that its constructor's error for another framework's argument shows Antiphon's name."""
    cls.__init__ = _adding_to_errors(vars(cls)["__init__"], lambda _, error: add_notes(error))  # type: ignore[misc]
    return cls


_FEATURES: list[type] = []


def named(feature: str, error: E) -> E:
    """Prefix an error's message with a feature's name, unless it contains the name already, and return the error.

    Only messages of ValueError, TypeError, RuntimeError and NotImplementedError themselves are changed.
    """
    message = str(error)
    if type(error) in _NAMED and feature not in message:
        error.args = (f"{feature}: {message}",)
    return error


_NAMED = frozenset({ValueError, TypeError, RuntimeError, NotImplementedError})


def feature_in_use() -> str | None:
    """Return the name of the feature whose method is running, or None: for errors only, since it reads frames."""
    from inspect import currentframe  # late: it is needed after a failure only

    frame = currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, tuple(_FEATURES)) or hasattr(type(owner), "install"):
            return type(owner).__name__
        frame = frame.f_back
    return None


def add_notes(error: BaseException) -> None:
    """Add a note to an error caused by a habit from another framework."""
    from antiphon.explanations.notes import explain  # late: few programs need it

    explain(error)


def _name_feature(feature: object, error: Exception) -> None:
    add_notes(error)  # first: it reads the message as Python wrote it
    named(type(feature).__name__, error)


def _adding_to_errors(method: Callable[..., Any], add: Callable[[object, Exception], None]) -> Callable[..., Any]:
    """Wrap a method, so that ``add`` can add to its errors before they are raised."""

    @wraps(method)
    def call(self: object, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except (ValueError, TypeError, RuntimeError) as error:
            add(self, error)
            raise

    return call


COMMAND = "To read more: antiphon explain"
"""The beginning of the note that names the command."""


_MOST = 100
"""The maximum number of settings that one object logs, since clients choose what they request."""


class Advice:
    """A logger of advice about settings, each setting once."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, refused: str, setting: str) -> None:
        """Log that something was refused, and the setting that would allow it."""
        if setting in self._given or len(self._given) >= _MOST:
            return
        import logging

        self._given.add(setting)
        logging.getLogger("antiphon").warning("%s was refused; if it should not be: %s", refused, setting)
