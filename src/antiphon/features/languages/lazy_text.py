"""Texts that are looked up when they are used, for labels and constants that are made before there is a request."""

from collections import UserString
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.features.languages.current import current_language
from antiphon.features.languages.placeholders import filled


class LazyText(UserString):
    """A text in the language of the current request, looked up each time that it is used; made by ``lazy``.

    It has the methods of str, which return a str. Outside of requests it is in the default language. It equals a str
    with the same text, and another lazy text with the same key and values.
    """

    def __init__(self, key: str, values: dict[str, object]) -> None:
        self._key = key
        self._values = values

    @property
    def data(self) -> str:  # type: ignore[override]  # it is only read
        """The text."""
        language = current_language()
        if language is None:
            return filled(self._key, self._values)
        return language.gettext(self._key, **self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyText):
            return self._key == other._key and self._values == other._values
        return self.data == other

    def __hash__(self) -> int:
        return hash(self._key)

    def __add__(self, other: object) -> str:  # type: ignore[override]  # a text of some language is a str
        return self.data + str(other)

    def __radd__(self, other: object) -> str:  # type: ignore[override]
        return str(other) + self.data

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    def format_map(self, mapping: Mapping[str, Any]) -> str:
        """Return the text with more values, such as the bounds of a form."""
        return str(LazyText(self._key, {**self._values, **mapping}))

    def format(self, *arguments: Any, **values: Any) -> str:  # noqa: ARG002 - a text names its values
        """Return the text with more values."""
        return self.format_map(values)

    def __repr__(self) -> str:
        values = "".join(f", {name}={value!r}" for name, value in self._values.items())
        return f"lazy({self._key!r}{values})"

    def __reduce__(self) -> tuple[Any, ...]:
        return LazyText, (self._key, self._values)


def _of_text(name: str) -> Callable[..., Any]:
    """Return a method of str for lazy texts: the methods of UserString would return another lazy text."""
    method = getattr(str, name)

    def call(self: LazyText, *arguments: Any, **named: Any) -> Any:
        return method(self.data, *arguments, **named)

    return call


_MAKING_TEXT = (
    "__getitem__", "__mod__", "__mul__", "__rmul__", "capitalize", "casefold", "center", "expandtabs", "ljust", "lower",
    "lstrip", "removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title", "translate",
    "upper", "zfill",
)  # fmt: skip
for _name in _MAKING_TEXT:
    setattr(LazyText, _name, _of_text(_name))


def lazy(key: str, /, **values: object) -> LazyText:
    """Return a text that is looked up by its key when it is used, in the language of the current request.

    Use ``label = lazy("your-name")`` for values that are made before there is a request, such as labels and constants.
    Outside of requests it is in the default language of the application that used ``Languages`` last.
    """
    return LazyText(key, values)
