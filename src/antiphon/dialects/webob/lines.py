"""Header lines of a response: pairs of a name and a value in a list, which is all the state that headers have."""

import re
from typing import Any

from antiphon.http.headers import field_name

Lines = list[tuple[str, str]]

find_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""Find the first control character that no part of a response's head may have (RFC 9110 §5.5)."""
find_break = re.compile(r"[\r\n\0]").search
"""Find the first character that would end a line early."""


def check_sent_line(name: Any, value: Any) -> None:
    """Raise ValueError for a line that can't be sent: as ``check_line`` does, and for a name that is not a token
    (RFC 9110 §5.1).
    """
    check_line(name, value)
    if isinstance(name, str):
        field_name(name)


def check_line(name: Any, value: Any) -> None:
    """Raise ValueError for a name or a value with control characters. Most of these are escaped in a Location.

    Values that are not text pass, since a server refuses them.
    """
    if isinstance(name, str) and find_control(name):
        raise broken(name, value)
    if isinstance(value, str) and find_control(value):
        check_value(name, value)


def check_value(name: str, value: str) -> None:
    """Raise ValueError for a value with control characters. Most of these are escaped in a Location."""
    if (find_break if name.lower() == "location" else find_control)(value):
        raise broken(name, value)


def broken(name: Any, value: Any) -> ValueError:
    """Return the error for a header line with control characters."""
    return ValueError(f"a header has no CR, LF, NUL or other control characters: {name!r:.80}, {value!r:.200}")


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
