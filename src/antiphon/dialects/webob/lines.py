"""Header lines of a response: pairs of a name and a value in a list, which is all the state that headers have."""

import re
from typing import Any

Lines = list[tuple[str, str]]

find_break = re.compile(r"[\r\n\0]").search
"""Find the first CR, LF or NUL, which no part of a response's head may have (RFC 9110 §5.5)."""


def check_line(name: Any, value: Any) -> None:
    """Raise ValueError for a header line with CR, LF or NUL, by which one header would become several.

    What is no text passes: a server refuses it.
    """
    if (isinstance(value, str) and find_break(value)) or (isinstance(name, str) and find_break(name)):
        raise broken(name, value)


def broken(name: Any, value: Any) -> ValueError:
    """Return the error for a header line with CR, LF or NUL."""
    return ValueError(f"a header has no CR, LF or NUL: {name!r:.80}, {value!r:.200}")


def first_value(lines: Lines, name: str) -> str | None:
    """Return the value of the first line with a name, given in lower case; None without one."""
    for key, value in lines:
        if key.lower() == name:
            return value
    return None


def last_value(lines: Lines, name: str) -> str | None:
    """Return the value of the last line with a name, given in lower case; None without one."""
    for key, value in reversed(lines):
        if key.lower() == name:
            return value
    return None


def remove_lines(lines: Lines, name: str) -> None:
    """Remove all lines with a name, given in lower case, from the list itself."""
    for line in lines:
        if line[0].lower() == name:
            lines[:] = [line for line in lines if line[0].lower() != name]
            return


def replace_line(lines: Lines, name: str, line: tuple[str, str]) -> None:
    """Set the only line with a name, given in lower case, in the list itself. Nothing is checked."""
    for known in lines:
        if known[0].lower() == name:
            lines[:] = [other for other in lines if other[0].lower() != name]
            break
    lines.append(line)


def put_line(lines: Lines, name: str, value: str) -> None:
    """Set the only line with a name. Raises ValueError as ``check_line`` does."""
    check_line(name, value)
    replace_line(lines, name.lower(), (name, value))


def pairs_of(lines: Any) -> Any:
    """Return the pairs of a mapping, or lines as they are."""
    return lines.items() if hasattr(lines, "items") else lines
