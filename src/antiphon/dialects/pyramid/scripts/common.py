"""The parts that commands share: the file of an application, and the values for it on the command line."""

from collections.abc import Sequence
from typing import Any


def parse_vars(words: Sequence[str]) -> dict[str, str]:
    """Parse ``name=value`` arguments, for `%(name)s` in the file. Raises ValueError for any other argument."""
    values = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator:
            raise ValueError(f'Variable assignment {word!r} invalid (no "=")')
        values[name] = value
    return values


def get_config_loader(config_uri: str) -> Any:
    """Return plaster's loader for a file."""
    import plaster

    return plaster.get_loader(config_uri, protocols=["wsgi"])
