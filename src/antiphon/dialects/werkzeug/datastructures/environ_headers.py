"""The header fields of a request, read from its environ."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon.dialects._environ.headers import ENVIRON_KEYS, UNPREFIXED, field_name
from antiphon.dialects.werkzeug.datastructures.dicts import converted
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableHeadersMixin
from antiphon.dialects.werkzeug.exceptions.bad_request import BadRequestKeyError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class EnvironHeaders(ImmutableHeadersMixin, Headers):
    """Headers that read an environ. They can't be changed, but show the environ's changes."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        super().__init__()
        self.environ = environ

    def __getitem__(self, key: Any) -> Any:
        try:
            environ_key = ENVIRON_KEYS[key]
        except KeyError:
            raise BadRequestKeyError(key) from None
        return self.environ[environ_key]

    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # without its overloads
        self,
        key: str,
        default: Any = None,
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> Any:
        """Return the value of a field, converted by ``type`` if given; ``default`` if it is missing or malformed."""
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
        type: Callable[[str], Any] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> list[Any]:
        """Return a list with the value of a field; an empty one if it is missing, or ``type`` refuses it."""
        environ_key = "" if "_" in key else ENVIRON_KEYS[key]
        value = self.environ.get(environ_key)
        if value is None or (value == "" and environ_key in UNPREFIXED):
            return []
        return [value] if type is None else converted([value], type, (ValueError,))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and ENVIRON_KEYS[key] in self.environ

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for key, value in self.environ.items():
            name = field_name(key)
            if name is not None and (value or key not in UNPREFIXED):
                yield name, value

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return self.environ is other.environ if isinstance(other, EnvironHeaders) else NotImplemented

    __hash__ = None

    def copy(self) -> NoReturn:
        """Raise TypeError: `Headers(headers)` makes headers that can be changed."""
        raise TypeError(f"cannot create {type(self).__name__!r} copies")

    def __or__(self, other: object) -> NoReturn:
        self.copy()
