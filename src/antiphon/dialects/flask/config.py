"""An application's configuration: a dict filled from files, objects and the environment."""

import errno
import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import ModuleType
from typing import IO, Any, Generic, Protocol, Self, TypeVar, overload

from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict
from antiphon.dialects.werkzeug.utils import import_string

T = TypeVar("T")

_ABSENT = frozenset({errno.ENOENT, errno.EISDIR})
"""The errors that are ignored if a file is optional."""

DEFAULTS = ImmutableDict(
    {
        "DEBUG": None,
        "TESTING": False,
        "PROPAGATE_EXCEPTIONS": None,
        "SECRET_KEY": None,
        "SECRET_KEY_FALLBACKS": None,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
        "USE_X_SENDFILE": False,
        "TRUSTED_HOSTS": None,
        "SERVER_NAME": None,
        "APPLICATION_ROOT": "/",
        "SESSION_COOKIE_NAME": "session",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": None,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": False,
        "SESSION_COOKIE_PARTITIONED": False,
        "SESSION_COOKIE_SAMESITE": None,
        "SESSION_REFRESH_EACH_REQUEST": True,
        "MAX_CONTENT_LENGTH": None,
        "MAX_FORM_MEMORY_SIZE": 500_000,
        "MAX_FORM_PARTS": 1_000,
        "SEND_FILE_MAX_AGE_DEFAULT": None,
        "TRAP_BAD_REQUEST_ERRORS": None,
        "TRAP_HTTP_EXCEPTIONS": False,
        "EXPLAIN_TEMPLATE_LOADING": False,
        "PREFERRED_URL_SCHEME": "http",
        "TEMPLATES_AUTO_RELOAD": None,
        "MAX_COOKIE_SIZE": 4093,
        "PROVIDE_AUTOMATIC_OPTIONS": True,
    }
)
"""The default settings of an application."""


class _Configured(Protocol):
    @property
    def config(self) -> "Config": ...


class ConfigAttribute(Generic[T]):
    """An attribute of an application that reads and writes one value of its ``config``.

    ``get_converter`` is applied to the value each time it is read.
    """

    def __init__(self, name: str, get_converter: Callable[[Any], T] | None = None) -> None:
        self.__name__ = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, obj: _Configured, owner: type | None = None) -> T: ...
    def __get__(self, obj: _Configured | None, owner: type | None = None) -> T | Self:
        if obj is None:
            return self
        value: T = obj.config[self.__name__]
        return value if self.get_converter is None else self.get_converter(value)

    def __set__(self, obj: _Configured, value: Any) -> None:
        obj.config[self.__name__] = value


class Config(dict[str, Any]):
    """A dict with methods that fill it. They only set uppercase names. Paths are relative to ``root_path``."""

    def __init__(self, root_path: str | os.PathLike[str], defaults: Mapping[str, Any] | None = None) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Run the Python file whose path is in an environment variable, as ``from_pyfile`` does.

        Raises RuntimeError if the variable is empty or not set. With ``silent``, returns False instead.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"The environment variable {variable_name!r} is not set and as such configuration could not be loaded. Set"
            " this variable and make it point to a configuration file"
        )

    def from_prefixed_env(self, prefix: str = "FLASK", *, loads: Callable[[str], Any] = json.loads) -> bool:
        """Set values from environment variables that start with a prefix and "_", in the order of their names.

        ``loads`` converts each value, which stays text if ``loads`` raises an error. Two underscores in a name access
        nested dicts and create missing ones: FLASK_A__B sets ``config["A"]["B"]``. Returns True. Raises TypeError for a
        name inside a value that is not a dict.
        """
        start = f"{prefix}_"
        for variable in sorted(os.environ):
            if variable.startswith(start):
                try:
                    value = loads(os.environ[variable])
                except Exception:
                    value = os.environ[variable]
                self._set_nested(variable, variable.removeprefix(start).split("__"), value)
        return True

    def _set_nested(self, variable: str, path: list[str], value: object) -> None:
        within: dict[str, Any] = self
        *parents, name = path
        for parent in parents:
            within = within.setdefault(parent, {})
            if not hasattr(within, "__setitem__"):
                raise TypeError(f"{variable} can't be set: {parent!r} must be a dict, not {type(within).__name__}")
        within[name] = value

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Run a Python file and set the uppercase names that it defines.

        Raises OSError if it can't be read. With ``silent``, returns False if the file does not exist.
        """
        path = os.path.join(self.root_path, filename)
        module = ModuleType("config")
        module.__file__ = path
        try:
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec")
        except OSError as error:
            return _missing(error, silent and error.errno in {*_ABSENT, errno.ENOTDIR})
        exec(code, vars(module))  # noqa: S102 - the developer's own file
        self.from_object(module)
        return True

    def from_object(self, obj: object) -> None:
        """Load settings from the uppercase attributes of an object, such as a module or a class.

        The object may be given by its import name. Raises ImportError for a name that does not exist.
        """
        if isinstance(obj, str):
            obj = import_string(obj)
        for name in dir(obj):
            if name.isupper():
                self[name] = getattr(obj, name)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Set the uppercase names that ``load`` reads from a file. With ``text``, the file is opened in text mode.

        Raises OSError if the file can't be opened. With ``silent``, returns False if it does not exist.
        """
        try:
            with open(os.path.join(self.root_path, filename), "r" if text else "rb") as file:
                values = load(file)
        except OSError as error:
            return _missing(error, silent and error.errno in _ABSENT)
        return self.from_mapping(values)

    def from_mapping(self, mapping: Mapping[str, Any] | None = None, **kwargs: Any) -> bool:
        """Set the uppercase names in a mapping or in pairs, and those in the keyword arguments. Returns True."""
        given = dict(() if mapping is None else mapping, **kwargs)
        self.update({name: value for name, value in given.items() if name.isupper()})
        return True

    def get_namespace(self, namespace: str, lowercase: bool = True, trim_namespace: bool = True) -> dict[str, Any]:
        """Return the values whose names start with a prefix, by default without it and in lowercase."""
        found = {name: value for name, value in self.items() if name.startswith(namespace)}
        if trim_namespace:
            found = {name[len(namespace) :]: value for name, value in found.items()}
        return {name.lower(): value for name, value in found.items()} if lowercase else found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict.__repr__(self)}>"


def _missing(error: OSError, is_allowed: bool) -> bool:
    """Return False if the file is missing but optional. Otherwise, raise the error."""
    if is_allowed:
        return False
    error.strerror = f"Unable to load configuration file ({error.strerror})"
    raise error
