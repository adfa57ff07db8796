"""Lines of headers: checked, and their values with options."""

import re
from collections.abc import Mapping
from typing import Any

from antiphon.dialects.werkzeug.http.options import dump_options_header

_find_line_end = re.compile(r"[\r\n\0]").search


def header_line(key: str, value: Any) -> tuple[str, str]:
    """A line of headers. Raises ValueError for line ends and NUL."""
    if type(value) is str and value.isprintable() and key.isprintable():
        return key, value
    text = str(value)
    if bad := _find_line_end(f"{key}{text}"):
        raise ValueError(f"header fields must not contain newline characters, nor NUL: {bad[0]!r} in {key!r:.80}")
    return key, text


def with_options(value: Any, options: Mapping[str, Any]) -> str:
    """A value with options, in whose names underscores stand for hyphens."""
    return dump_options_header(value, {name.replace("_", "-"): each for name, each in options.items()})
