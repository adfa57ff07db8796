"""Environment variables, with Asok's conversions."""

from typing import Any

from antiphon import env as variables

_WORDS = {"true": True, "false": False, "null": None}


class Env:
    """The environment variables. The text "true" is True, "false" False and "null" None, in any case."""

    __slots__ = ()

    def __call__(self, key: str, default: Any = None) -> Any:
        """Return a variable, or ``default`` if it is not set."""
        return self[key] if key in variables else default

    def __getitem__(self, key: str) -> Any:
        """Return a variable. Raises KeyError, which names the fix, if it is not set."""
        text = variables[key]
        return _WORDS.get(text.lower(), text)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a variable, or ``default`` if it is not set."""
        return self(key, default)


env = Env()
