"""Header fields: ordered and repeatable, with case-insensitive names. A request's fields are read from its environ."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, TypeVar, cast, overload

from antiphon.dialects._environ.attributes import MISSING
from antiphon.dialects._environ.heads import ENVIRON_KEYS, UNPREFIXED
from antiphon.dialects._environ.heads import field_name as environ_name
from antiphon.dialects.werkzeug.datastructures.dicts import converted
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableHeadersMixin
from antiphon.dialects.werkzeug.datastructures.structures import MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.exceptions.base import BadRequestKeyError
from antiphon.dialects.werkzeug.tokens import dump_options_header
from antiphon.http.headers import field_name

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


D = TypeVar("D")
C = TypeVar("C")

_find_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_find_line_end = re.compile(r"[\r\n]").search


def __getattr__(name: str) -> object:
    if name != "EnvironHeaders":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)

    return EnvironHeaders


class Headers:
    """Pairs of names and values, as in WSGI.

    ``[]`` returns the first value for a name, or the pair at an index. Values of other types are converted to text.
    Raises ValueError if a name or value contains control characters. Names may be any other text, but a response can be
    sent only if they are all tokens.
    """

    KeyError = BadRequestKeyError

    def __init__(self, defaults: Any = None) -> None:
        self._list: list[tuple[str, str]] = []
        self._names: list[str] = []  # in lower case, so that searches run in C
        if defaults is not None:
            self.extend(defaults)

    @classmethod
    def linked(cls, headerlist: list[tuple[str, str]]) -> "Headers":
        """Return headers that read and change the given list. Werkzeug had this method up to 0.8."""
        return LinkedHeaders(headerlist)

    @classmethod
    def usual(cls, content_type: str) -> "Headers":
        """Return headers with only a Content-Type, which is what most responses start with."""
        headers = Headers()
        headers._list.append(_checked("Content-Type", content_type))
        headers._names.append("content-type")
        return headers

    def set_length(self, length: int) -> None:
        if "content-length" in self._names:
            self.set("Content-Length", str(length))
        else:
            self._names.append("content-length")
            self._list.append(("Content-Length", str(length)))

    # Reading

    @overload
    def __getitem__(self, key: str) -> str: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            try:
                return self._list[self._names.index(key.lower())][1]
            except ValueError:
                raise BadRequestKeyError(key) from None
        return self.__class__(self._list[key]) if isinstance(key, slice) else self._list[key]

    @overload
    def get(self, key: str, default: None = None, type: None = None) -> str | None: ...
    @overload
    def get(self, key: str, default: D, type: None = None) -> str | D: ...
    @overload
    def get(self, key: str, default: None = None, *, type: Callable[[str], C]) -> C | None: ...
    @overload
    def get(self, key: str, default: D, type: Callable[[str], C]) -> C | D: ...
    def get(
        self,
        key: str,
        default: object = None,
        type: Callable[[str], object] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> object:
        """Return a name's first value, converted by ``type`` if given.

        Returns ``default`` if the name is missing or the conversion fails.
        """
        name, names = key.lower(), self._names
        if name not in names:
            return default
        value = self._list[names.index(name)][1]
        if type is None:
            return value
        try:
            return type(value)
        except ValueError:
            return default

    @overload
    def getlist(self, key: str, type: None = None) -> list[str]: ...
    @overload
    def getlist(self, key: str, type: Callable[[str], C]) -> list[C]: ...
    def getlist(
        self,
        key: str,
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> list[Any]:
        """Return all values for the given name, except those for which ``type`` raises ValueError."""
        name, names = key.lower(), self._names
        count = names.count(name)
        if not count:
            return []
        if count == 1:
            values = [self._list[names.index(name)][1]]
        else:
            values = [value for each, value in self._list if each.lower() == name]
        return values if type is None else converted(values, type, (ValueError,))

    def get_all(self, name: str) -> list[str]:
        return self.getlist(name)

    def items(self, lower: bool = False) -> Iterator[tuple[str, str]]:
        """Return all pairs in order. With ``lower``, the names are in lower case."""
        return iter([(name.lower(), value) for name, value in self]) if lower else iter(self)

    def keys(self, lower: bool = False) -> Iterator[str]:
        return iter([name for name, _ in self.items(lower)])

    def values(self) -> Iterator[str]:
        return iter([value for _, value in self.items()])

    def to_wsgi_list(self) -> list[tuple[str, str]]:
        """Return the pairs in the format that `start_response` accepts."""
        return list(self)

    def copy(self) -> Self:
        return self.__class__(self if type(self) is Headers else self._list)

    def __copy__(self) -> Self:
        return self.copy()

    def __contains__(self, key: str) -> bool:
        return key.lower() in self._names

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers) or other.__class__ is not self.__class__:
            return NotImplemented
        return set(self.items(lower=True)) == set(other.items(lower=True))

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __str__(self) -> str:
        """Return the header lines in HTTP/1.1 format, including the final empty line."""
        return "".join([f"{name}: {value}\r\n" for name, value in self.to_wsgi_list()]) + "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"

    # Changing

    def add(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Add a pair. Keyword arguments become options of the value: ``add("X-A", "b", filename="c")``."""
        pair = _checked(key, _with_options(value, kwargs) if kwargs else value)
        self._names.append(key.lower())
        self._list.append(pair)

    def add_header(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Add a pair. An alias of ``add``."""
        self.add(key, value, **kwargs)

    def set(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Replace a name's values with one value, at the position of the first. Accepts the keywords of ``add``."""
        pair = _checked(key, _with_options(value, kwargs) if kwargs else value)
        name, names = key.lower(), self._names
        if name not in names:
            names.append(name)
            self._list.append(pair)
            return
        self._list[self._leave_first(name)] = pair

    def _leave_first(self, name: str) -> int:
        """Remove all pairs with the given name except the first, and return the index of the first."""
        names, fields = self._names, self._list
        place = names.index(name)
        if names.count(name) > 1:
            rest = place + 1
            fields[rest:] = [field for each, field in zip(names[rest:], fields[rest:], strict=True) if each != name]
            names[rest:] = [each for each in names[rest:] if each != name]
        return place

    def setlist(self, key: str, values: Iterable[Any]) -> None:
        several = list(values)
        if not several:
            self.remove(key)
            return
        self.set(key, several[0])
        for value in several[1:]:
            self.add(key, value)

    def setdefault(self, key: str, default: Any) -> str:
        """Return a name's first value, first setting it to ``default`` if it is missing."""
        if key not in self:
            self.set(key, default)
        return self[key]

    def setlistdefault(self, key: str, default: Iterable[Any]) -> list[str]:
        """Return all values for the given name, first setting them to ``default`` if there are none."""
        if key not in self:
            self.setlist(key, default)
        return self.getlist(key)

    def extend(self, arg: Any = None, /, **kwargs: Any) -> None:
        """Add pairs from headers, a MultiDict, a dictionary of values or lists, an iterable of pairs, and keywords."""
        if type(arg) is Headers:
            self._names.extend(arg._names)  # noqa: SLF001 - of the same class
            self._list.extend(arg._list)  # noqa: SLF001 - already checked
        elif arg is not None:
            self._add_all(arg if isinstance(arg, list) else iter_multi_items(arg))
        if kwargs:
            self._add_all(iter_multi_items(kwargs))

    def _add_all(self, pairs: Iterable[tuple[str, Any]]) -> None:
        names, fields = self._names, self._list
        for key, value in pairs:
            fields.append(_checked(key, value))
            names.append(key.lower())

    def update(self, arg: Any = None, /, **kwargs: Any) -> None:
        """Replace the values of names with those from any of the sources that ``extend`` accepts."""
        if isinstance(arg, Headers | MultiDict):
            for key in list(arg.keys()):
                self.setlist(key, arg.getlist(key))
        elif arg is not None:
            self._replace(arg.items() if isinstance(arg, Mapping) else arg, isinstance(arg, Mapping))
        self._replace(kwargs.items(), True)

    def _replace(self, pairs: Iterable[tuple[str, Any]], may_be_lists: bool) -> None:
        for key, value in pairs:
            if may_be_lists and isinstance(value, list | tuple | set):
                self.setlist(key, value)
            else:
                self.set(key, value)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, str):
            self.set(key, value)
        elif isinstance(key, slice):
            fields = [_checked(*pair) for pair in value]
            self._list[key], self._names[key] = fields, [name.lower() for name, _ in fields]
        else:
            self._list[key] = field = _checked(*value)
            self._names[key] = field[0].lower()

    def __delitem__(self, key: Any) -> None:
        if not isinstance(key, str):
            del self._names[key], self._list[key]
        elif key in self:
            place = self._leave_first(key.lower())
            del self._names[place], self._list[place]

    def remove(self, key: str) -> None:
        del self[key]

    def pop(self, key: Any = None, default: Any = MISSING) -> Any:
        """Remove a name and return its first value or ``default``, or remove a pair by index, by default the last."""
        if key is None or isinstance(key, int):
            place = -1 if key is None else key
            self._names.pop(place)
            return self._list.pop(place)
        if key not in self and default is not MISSING:
            return default
        value = self[key]
        self.remove(key)
        return value

    def popitem(self) -> tuple[str, str]:
        return cast("tuple[str, str]", self.pop())

    def clear(self) -> None:
        self._names.clear()
        self._list.clear()

    def __or__(self, other: Any) -> Self:
        if not isinstance(other, Mapping):
            return NotImplemented
        united = self.copy()
        united.update(other)
        return united

    def __ior__(self, other: Any) -> Self:
        if not isinstance(other, Mapping | Iterable):
            return NotImplemented
        self.update(other)
        return self

    # Names from earlier versions

    has_key = __contains__
    iteritems = items
    iterkeys = keys
    itervalues = values

    def to_list(self, charset: str = "iso-8859-1") -> list[tuple[str, str]]:  # noqa: ARG002 - text needs no charset
        """Return the pairs. The former name of ``to_wsgi_list``."""
        return self.to_wsgi_list()


class LinkedHeaders(Headers):
    """Headers stored in a list that other code may also change."""

    def __init__(self, headerlist: list[tuple[str, str]]) -> None:
        self._list = headerlist

    @property
    def _names(self) -> list[str]:  # type: ignore[override]  # recomputed, since the list may have changed
        return [name.lower() for name, _ in self._list]

    def copy(self) -> Headers:  # type: ignore[override]  # not linked to the list
        return Headers(self._list)


def _checked(key: str, value: Any) -> tuple[str, str]:
    text = value if type(value) is str else str(value)
    if text.isprintable() and key.isprintable():
        return key, text
    find = _find_line_end if key.lower() == "location" else _find_control  # Location escapes the others
    if bad := find(text) or _find_control(key):
        raise ValueError(
            "Header values must not contain newline characters."
            f" Neither they nor names may contain controls: {bad[0]!r} in {key!r:.80}"
        )
    return key, text


def check_sent(fields: Iterable[tuple[str, str]]) -> None:
    """Check fields before they are sent.

    Raises ValueError for control characters, including line breaks, or for a name that is not a token (RFC 9110 §5.1).
    """
    for name, value in fields:
        _checked(name, value)
        field_name(name)


def _with_options(value: Any, options: Mapping[str, Any]) -> str:
    """Append options to a value. Underscores in their names become hyphens."""
    return dump_options_header(value, {name.replace("_", "-"): each for name, each in options.items()})


class EnvironHeaders(ImmutableHeadersMixin, Headers):
    """A read-only, live view of an environ's headers."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        super().__init__()
        self.environ = environ

    def __getitem__(self, key: Any) -> Any:
        try:
            environ_key = ENVIRON_KEYS[key]
        except KeyError:
            raise BadRequestKeyError(key) from None
        return self.environ[environ_key]

    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # no overloads
        self,
        key: str,
        default: Any = None,
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> Any:
        """Return a field's value, converted by ``type`` if given, or ``default`` if it is missing or malformed."""
        try:
            value = self.environ.get(ENVIRON_KEYS[key])
        except KeyError:
            return default
        if value is None:
            return default
        if type is None:
            return value
        try:
            return type(value)
        except ValueError:
            return default

    def getlist(
        self,
        key: str,
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> list[Any]:
        """Return a list with a field's value. It is empty if the field is missing or ``type`` raises ValueError."""
        environ_key = "" if "_" in key else ENVIRON_KEYS[key]
        value = self.environ.get(environ_key)
        if value is None or (value == "" and environ_key in UNPREFIXED):
            return []
        return [value] if type is None else converted([value], type, (ValueError,))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and ENVIRON_KEYS[key] in self.environ

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for key, value in self.environ.items():
            name = environ_name(key)
            if name is not None and (value or key not in UNPREFIXED):
                yield name, value

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return self.environ is other.environ if isinstance(other, EnvironHeaders) else NotImplemented

    __hash__ = None

    def copy(self) -> NoReturn:
        """Raise TypeError. Use `Headers(headers)` to make a mutable copy."""
        raise TypeError(f"cannot create {type(self).__name__!r} copies")

    def __or__(self, other: object) -> NoReturn:
        self.copy()
