"""The decoded body of a response, and the class methods that make responses under the same names."""

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NoReturn, ParamSpec, TypeVar, overload

from antiphon.explanations import explained
from antiphon.http.media_type import MediaType

if TYPE_CHECKING:
    from antiphon.response.response import Response


def text_of(body: bytes, content_type: str | None) -> str:
    """Return a body as text in its content type's charset, or in UTF-8 if Python knows no such charset.

    Raises ValueError for other bytes.
    """
    try:
        return body.decode(_charset(content_type))
    except LookupError:
        return body.decode()


def json_of(body: bytes, response: object) -> Any:
    """Return the value of a response's body as JSON. Raises ValueError, which shows the response, for other bytes."""
    from antiphon.serialization.json import decode_json

    try:
        return decode_json(body)
    except Exception as error:
        raise explained("response-not-json", ValueError(f"{response!r} is not JSON: {error}")) from error


def _charset(content_type: str | None) -> str:
    try:
        return MediaType.parse(content_type or "").charset or "utf-8"
    except ValueError:
        return "utf-8"


P = ParamSpec("P")
C = TypeVar("C", bound=Callable[..., Any])
R = TypeVar("R", bound="Response")
V = TypeVar("V")


class MakerOrValue(Generic[P, V]):
    """An attribute that makes a response on the class, ``Response.json(value)``, and is read on a response.

    ``make`` is called with the class, and ``read`` with the response.
    """

    def __init__(self, make: Callable[Concatenate[type[Any], P], object], read: Callable[[Any], V]) -> None:
        self.make = make
        self.read = read
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        # Errors about wrong arguments name the function as it is called, and pickles of it find it there.
        self.make.__name__, self.make.__qualname__ = name, f"{owner.__qualname__}.{name}"

    @overload
    def __get__(self, instance: None, owner: type[R]) -> Callable[P, R]: ...
    @overload
    def __get__(self, instance: "Response", owner: type[Any]) -> V: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return MethodType(self.make, owner) if instance is None else self.read(instance)


class _Maker(classmethod):  # type: ignore[type-arg]
    """A class method that a response does not have."""

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        return MethodType(self.__func__, owner) if instance is None else self._refuse(instance)

    def _refuse(self, instance: object) -> NoReturn:
        name = self.__func__.__name__
        message = f"{name} makes a new response, and this is one: call {type(instance).__name__}.{name}(...)"
        raise AttributeError(message, name=name, obj=instance)


def maker(method: C) -> C:
    """Decorate a class method that makes a response: on a response, it raises an AttributeError with the fix."""
    made: Any = method
    return _Maker(made.__func__)  # type: ignore[return-value]
