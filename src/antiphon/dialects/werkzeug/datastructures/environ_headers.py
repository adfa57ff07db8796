"""The header fields of a request, where its environ has them."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon.dialects.werkzeug.datastructures.converting import converted
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableHeadersMixin
from antiphon.dialects.werkzeug.exceptions import BadRequestKeyError
from antiphon.dialects.werkzeug.keeping import kept

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_DOUBLED = frozenset({"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"})
_MOST_KEPT = 512


class _Keys(dict[str, str]):
    """The key that an environ has a header field under (PEP 3333), by the field's name; the first few are kept."""

    def __missing__(self, name: str) -> str:
        if not isinstance(name, str):
            raise BadRequestKeyError(name)
        key = name.upper().replace("-", "_")
        key = key if key in _WITHOUT_PREFIX else f"HTTP_{key}"
        if len(self) < _MOST_KEPT:
            self[name] = key
        return key


_KEYS = _Keys()


@kept(_MOST_KEPT)
def _name_of(key: str) -> str | None:
    """The name of the header field that is under a key; None for other keys."""
    if key in _WITHOUT_PREFIX:
        return key.replace("_", "-").title()
    return key[5:].replace("_", "-").title() if key.startswith("HTTP_") and key not in _DOUBLED else None


class EnvironHeaders(ImmutableHeadersMixin, Headers):
    """Headers that read an environ and can't be changed, but show its changes."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        super().__init__()
        self.environ = environ

    def __getitem__(self, key: Any) -> Any:
        return self.environ[_KEYS[key]]

    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # without its overloads
        self,
        key: str,
        default: Any = None,
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> Any:
        """The value of a name, converted by ``type`` if given; ``default`` if it is missing or no good value."""
        try:
            value = self.environ.get(_KEYS[key])
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
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> list[Any]:
        """A list with the value of a name, empty if it is missing, or ``type`` refuses it."""
        environ_key = "" if "_" in key else _KEYS[key]
        value = self.environ.get(environ_key)
        if value is None or (value == "" and environ_key in _WITHOUT_PREFIX):
            return []
        return [value] if type is None else converted([value], type, (ValueError,))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _KEYS[key] in self.environ

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for key, value in self.environ.items():
            name = _name_of(key)
            if name is not None and (value or key not in _WITHOUT_PREFIX):
                yield name, value

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return self.environ is other.environ if isinstance(other, EnvironHeaders) else NotImplemented

    __hash__ = None

    def copy(self) -> NoReturn:
        """Raise TypeError: `Headers(it)` makes headers that can be changed."""
        raise TypeError(f"cannot create {type(self).__name__!r} copies")

    def __or__(self, other: object) -> NoReturn:
        self.copy()
