"""Functions and a class in C that replace their Python twins if the extension was built.

A twin is defined in the module where it belongs, and documents the C version. ``ANTIPHON_PURE=1`` in the environment
disables the extension.
"""

from collections.abc import Callable
from contextlib import suppress
from os import environ
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., object])

_extension: ModuleType | None = None
if environ.get("ANTIPHON_PURE") != "1":
    with suppress(ImportError):  # not built for this Python
        from antiphon.speedups import _speedups as _extension

IS_COMPILED = _extension is not None
"""True if the extension is in use."""

PURE: dict[str, Any] = {}
"""The Python functions and classes with a twin in the extension, and values that it needs, by name."""


def accelerated(function: F) -> F:
    """Return the version of a function or class that Antiphon's extension in C has under its name, or the function or
    class itself if the extension has none or isn't in use.
    """
    PURE[function.__name__] = function
    return getattr(_extension, function.__name__, function)
