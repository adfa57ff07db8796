"""Environment variables, as text or another type, and the `.env` file: ``env("WORKERS", 4)``."""

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.paths import caller_file, path_beside

if TYPE_CHECKING:
    from pathlib import PurePath

MOST = 1 << 20
"""The maximum size of the file, in bytes."""

_line = re.compile(
    r"""[^\S\n]*+(?>(?:
        (?:export[^\S\n]++)?([A-Za-z_][A-Za-z0-9_.-]*+)[^\S\n]*+=
        (?:[^\S\n]*+(?:'((?:[^'\\]|\\.?)*+)'|"((?:[^"\\]|\\.?)*+)")|(?![^\S\n]*+['"])([^\n]*+))
    )?)[^\S\n]*+(?:[#][^\n]*+)?(?:\n|\Z)""",
    re.DOTALL | re.VERBOSE,
).match
"""Match a line: an optional name, and its value in single quotes, in double quotes, or without quotes."""
_comment = re.compile(r"\s#")
_escaped_in_single = re.compile(r"\\(['\\])")
_escaped_in_double = re.compile(r"""\\(['"\\abfnrtv])""")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class EnvFileError(ValueError):
    """A file that can't be read. If a line is malformed, the message includes its number.

    It doesn't show the line itself, which may contain a secret.
    """


def read_env_file(path: str | os.PathLike[str]) -> dict[str, str] | None:
    """Read the values from a file with lines `NAME=value`; None if the file doesn't exist.

    If a name occurs more than once, the last value is used. A value in quotes can span several lines. In it, a
    backslash escapes a quote or a backslash; in double quotes, also n, t and similar letters. Variables in values are
    not replaced. Raises EnvFileError for anything else, for more than 1 MiB, and for a file without read permission.
    """
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
        if len(data) > MOST:
            raise explained("bad-env-file", EnvFileError(f"The file {name} is larger than 1 MiB."))
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"byte {error.start} is invalid"
        raise explained("bad-env-file", EnvFileError(f"The file {name} can't be read as UTF-8: {reason}.")) from None
    return _values(text, name)


def _values(text: str, name: str) -> dict[str, str]:
    values: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _line(text, at)
        if found is None or "\0" in found[0]:
            number = text.count("\n", 0, at) + 1
            raise explained(
                "bad-env-file",
                EnvFileError(f"{name}, line {number}: this is not NAME=value, with quotes around several lines."),
            )
        variable, *value = found.groups()
        if variable is not None:
            values[variable] = _value(*value)
        at = found.end()
    return values


def _value(single: str | None, double: str | None, plain: str | None) -> str:
    if single is not None:
        return _escaped_in_single.sub(r"\1", single)
    if double is not None:
        return _escaped_in_double.sub(lambda found: _LETTERS.get(found[1], found[1]), double)
    return _comment.split(plain or "", maxsplit=1)[0].strip()


T = TypeVar("T")
D = TypeVar("D")
P = TypeVar("P", bound="PurePath")
"""A type to which any text can be converted, so that a default is always converted, too."""

_BOOLEANS = {**dict.fromkeys(("true", "1", "yes", "on"), True), **dict.fromkeys(("false", "0", "no", "off"), False)}
_KINDS = {bool: "true or false", int: "a whole number, such as 8000", float: "a number, such as 0.5"}
"""Types of defaults other than text, and what their variables must contain."""
_OF_PARTS = (list, tuple, set, frozenset, dict, bytes, bytearray)
"""Types whose constructor accepts a string, but doesn't convert it in a useful manner."""


class Environment(metaclass=NamesOurs, words=WORDS["Environment"]):
    """The variables of the process's environment: ``env("DEBUG", False)``, ``env["SECRET_KEY"]``, ``"DEBUG" in env``.

    A variable is looked up each time it is read.
    """

    __slots__ = ()

    @overload
    def __call__(self, name: str, default: None = None) -> str | None: ...
    @overload
    def __call__(self, name: str, default: T) -> T: ...
    @overload
    def __call__(self, name: str, default: str, *, cast: type[P]) -> P: ...
    @overload
    def __call__(self, name: str, default: None = None, *, cast: Callable[[str], T]) -> T | None: ...
    @overload
    def __call__(self, name: str, default: D, *, cast: Callable[[str], T]) -> T | D: ...
    def __call__(self, name: str, default: Any = None, *, cast: Callable[[str], Any] | None = None) -> Any:
        """Return a variable, or the default if it is not set.

        The value has the type of the default, which is text, a bool, an int or a float: ``env("DEBUG", False)`` is
        never the text "false", which is truthy. A bool is written true, 1, yes or on, or false, 0, no or off. ``cast``
        is a function that converts the text instead, such as ``int``, ``Path`` or ``str.split``. It also converts a
        default that is text, unless that fails, as with "auto". Raises ValueError, with the variable's name but not its
        value, for text that can't be converted. Raises TypeError for a default of any other type without a ``cast``.
        """
        cast = _cast(name, default) if cast is None else _check(name, cast)
        text = os.environ.get(name)
        if text is None:
            return _of_default(default, cast) if isinstance(default, str) and cast is not str else default
        return text if cast is str else _read(name, text, cast)

    def __getitem__(self, name: str) -> str:
        """Return a variable as text. Raises KeyError, which shows the fix, if the variable is not set."""
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
    """None, because a class with ``__getitem__`` would otherwise be iterable."""

    def load(self, path: str | os.PathLike[str] = ".env") -> bool:
        """Set variables from a file, except those already in the environment. Return False if the file doesn't exist.

        A relative path is relative to the folder of the calling file. Each line is ``NAME=value``. If the file has a
        mistake, raises ValueError with the line's number, and sets no variables.
        """
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
        f"the default of {name!r} is of type {kind.__name__}, to which text can be converted in several ways: give"
        " cast=, a function that takes text, such as cast=str.split or cast=Path",
        TypeError,
    )


def _of_default(default: str, cast: Callable[[str], Any]) -> Any:
    """Return the result of casting a text default. Text that can't be cast, such as "auto", is returned unchanged."""
    try:
        return cast(default)
    except (ValueError, TypeError):
        return default


def _check(name: str, cast: Callable[[str], T]) -> Callable[[str], T]:
    if cast in _OF_PARTS or not callable(cast):
        raise explained(
            "bad-cast",
            f"the cast of {name!r} is {getattr(cast, '__name__', repr(cast))}, which does not read text:"
            " give a function that does, such as cast=str.split or cast=int",
            TypeError,
        )
    return cast


def _read(name: str, text: str, cast: Callable[[str], Any]) -> Any:
    """Return a function's result for a string. The ValueError doesn't show the string, which may be a secret."""
    try:
        return _BOOLEANS[text.strip().lower()] if cast is bool else cast(text)
    except Exception as error:  # a function of the application may raise anything
        failed = type(error).__name__
    kind = _KINDS.get(cast) if isinstance(cast, type) else None
    wanted = kind or f"text that {getattr(cast, '__qualname__', repr(cast))} reads: it raised {failed}"
    raise explained("bad-setting", f"{name} in the environment must be {wanted}{'' if text else ' (it is empty)'}")
