"""Names that a version had and that have changed since: each works for a while, with a DeprecationWarning."""

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

DEPRECATED: Mapping[str, Mapping[str, tuple[str, str]]] = {}
"""What a version had: in a place to import from, of an object there, of the arguments of a class or a function, as in
``antiphon.features``, ``antiphon.features.Cache`` and ``antiphon.features.Cache()``, and of the command, ``antiphon``.
For each old name, there is the new one, and when the old one goes, such as "0.3, in June 2027".
"""


def _warn(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=4)  # where the name is used


def still(place: str, name: str, tell: Callable[[str], object] = _warn) -> str | None:
    """Return the new name of one that still works, and tell it, or return None."""
    ours, until = DEPRECATED.get(place, {}).get(name, (None, ""))
    if ours is not None:
        tell(f"{name!r} of {place} is now {ours!r}; the old name works until version {until}")
    return ours


def with_old_names(place: str, value: Any) -> Any:
    """Let an object that is imported from a place have its old names, and take its old arguments."""
    for name in DEPRECATED.get(place, ()):
        setattr(value, name, _OldName(place, name))
    for call in [each for each in DEPRECATED if each.startswith(f"{place}.") and each.endswith("()")]:
        method = call.removeprefix(f"{place}.")[:-2]
        setattr(value, method, _with_old_arguments(call, getattr(value, method)))
    if f"{place}()" not in DEPRECATED:
        return value
    if not isinstance(value, type):
        return _with_old_arguments(f"{place}()", value)
    value.__init__ = _with_old_arguments(f"{place}()", value.__init__)  # type: ignore[misc]
    return value


class _OldName:
    def __init__(self, place: str, name: str) -> None:
        self._name = place, name

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(owner if instance is None else instance, still(*self._name) or "")

    def __set__(self, instance: object, value: object) -> None:
        setattr(instance, still(*self._name) or "", value)


def _with_old_arguments(place: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        for name in options.keys() & DEPRECATED[place].keys():
            options[still(place, name) or name] = options.pop(name)
        return function(*arguments, **options)

    return call
