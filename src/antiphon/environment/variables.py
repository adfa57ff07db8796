"""Environment variables, as text or as a different type: ``env("WORKERS", 4)``."""

import os
from collections.abc import Callable
from typing import Any, TypeVar, overload

from antiphon.explanations import explained
from antiphon.paths import caller_file, path_beside

T = TypeVar("T")
D = TypeVar("D")

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
_KINDS = {
    bool: "true or false",
    int: "a whole number, such as 8000",
    float: "a number, such as 0.5",
}
"""Types of defaults other than text, and the text that their variables must have."""
_OF_PARTS = (list, tuple, set, frozenset, dict, bytes, bytearray)
"""Types whose constructor doesn't read a text by its meaning."""


class Environment:
    """The variables of the process's environment: ``env("DEBUG", False)``, ``env["SECRET_KEY"]``, ``"DEBUG" in env``.

    Each is looked up when it is read.
    """

    __slots__ = ()

    @overload
    def __call__(self, name: str, default: None = None) -> str | None: ...
    @overload
    def __call__(self, name: str, default: T) -> T: ...
    @overload
    def __call__(self, name: str, default: None = None, *, cast: Callable[[str], T]) -> T | None: ...
    @overload
    def __call__(self, name: str, default: D, *, cast: Callable[[str], T]) -> T | D: ...
    def __call__(self, name: str, default: Any = None, *, cast: Callable[[str], Any] | None = None) -> Any:
        """Return a variable, or the default if it is not set.

        It has the type of the default, which is text, a bool, an int or a float: ``env("DEBUG", False)`` is never the
        text "false", which is true. A bool is written true, 1, yes or on, or false, 0, no or off. ``cast`` is a
        function that converts the text instead, such as ``int``, ``Path`` or ``str.split``. It also converts a default
        that is text, unless it can't read that, such as "auto". Raises ValueError, which
        names the variable but does not show its value, for text that does not have that type; TypeError for a default
        of any other type without a ``cast``.
        """
        cast = _cast(name, default) if cast is None else _check(name, cast)
        text = os.environ.get(name)
        if text is None:
            return _of_default(default, cast) if isinstance(default, str) and cast is not str else default
        return text if cast is str else _read(name, text, cast)

    def __getitem__(self, name: str) -> str:
        """Return a variable as text. Raises KeyError, which names the fix, if it is not set."""
        text = os.environ.get(name)
        if text is None:
            raise explained(
                "missing-setting",
                KeyError(f"{name} is not set in the environment: set it, or give a default, env({name!r}, default)"),
            )
        return text

    def __contains__(self, name: object) -> bool:
        return name in os.environ

    __iter__: None = None
    """None, since a class with ``__getitem__`` would otherwise be iterable."""

    def load(self, path: str | os.PathLike[str] = ".env") -> bool:
        """Set the variables of a file that are not in the environment. Return False if there is no such file.

        A relative path starts at the folder of the file that calls this. Each line is ``NAME=value``. Raises
        ValueError, which names the line, for a file with a mistake; no variables are then set.
        """
        from antiphon.environment.env_file import read_env_file

        values = read_env_file(path_beside(caller_file(), path))
        for name, value in (values or {}).items():
            os.environ.setdefault(name, value)
        return values is not None


env = Environment()
"""The variables of this process's environment."""


def _cast(name: str, default: object) -> Callable[[str], Any]:
    """Return the function that converts text to the type of a default."""
    kind = str if default is None else type(default)
    if kind is str or kind in _KINDS:
        return kind
    raise explained(
        "bad-cast",
        TypeError(
            f"the default of {name!r} is of type {kind.__name__}, to which text can be converted in several ways: give"
            " cast=, a function that takes text, such as cast=str.split or cast=Path"
        ),
    )


def _of_default(default: str, cast: Callable[[str], Any]) -> Any:
    """Return the result of the cast for a default that is text; text that it can't read, such as "auto", as it is."""
    try:
        return cast(default)
    except (ValueError, TypeError):
        return default


def _check(name: str, cast: Callable[[str], T]) -> Callable[[str], T]:
    if cast in _OF_PARTS or not callable(cast):
        raise explained(
            "bad-cast",
            TypeError(
                f"the cast of {name!r} is {getattr(cast, '__name__', repr(cast))}, which does not read text:"
                " give a function that does, such as cast=str.split or cast=int"
            ),
        )
    return cast


def _read(name: str, text: str, cast: Callable[[str], Any]) -> Any:
    """Return the result of a function for a text. Raises ValueError without the text, which may be a secret."""
    try:
        return _BOOLEANS[text.strip().lower()] if cast is bool else cast(text)
    except Exception as error:  # a function of the application may raise anything
        failed = type(error).__name__
    kind = _KINDS.get(cast) if isinstance(cast, type) else None
    wanted = kind or f"text that {getattr(cast, '__qualname__', repr(cast))} reads: it raised {failed}"
    raise explained(
        "bad-setting", ValueError(f"{name} in the environment must be {wanted}{'' if text else ' (it is empty)'}")
    )
