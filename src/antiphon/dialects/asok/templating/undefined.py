"""Undefined names as values: they print nothing, unless the project is strict."""

from typing import Any, NoReturn

from jinja2 import ChainableUndefined


class Undefined(ChainableUndefined):
    """A missing name, attribute or item. It prints nothing, as do its own attributes, items and calls."""

    __slots__ = ()

    def __call__(self, *args: Any, **options: Any) -> Any:  # noqa: ARG002 - it takes whatever it is called with
        """Return this value."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined)

    def __hash__(self) -> int:
        return hash(Undefined)


class StrictUndefined(Undefined):
    """A missing name, attribute or item in a project with ``STRICT_VARIABLES``.

    It can be tested, and can have a default. Printing, calling or iterating over it raises UndefinedError.
    """

    __slots__ = ()

    def _fail(self, *args: Any, **options: Any) -> NoReturn:
        self._fail_with_undefined_error(*args, **options)

    __str__ = __html__ = __iter__ = __len__ = __call__ = _fail
