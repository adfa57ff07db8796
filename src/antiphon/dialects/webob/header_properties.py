"""Attributes of a response that are its headers."""

from collections.abc import Callable
from typing import Any

from antiphon.dialects.webob.datetime_utils import parse_date, serialize_date
from antiphon.dialects.webob.header_values import parse_list, serialize_list
from antiphon.dialects.webob.lines import Lines, check_value, first_value, remove_lines, replace_line


def header_property(header: str, parse: Callable[[Any], Any], serialize: Callable[[Any], Any]) -> property:
    """Return an attribute for a header that is parsed when it is read, and printed when it is set.

    None stands for an absent header, and removes it, as deleting does. Setting raises ValueError for control
    characters, and TypeError for what is printed as no text.
    """
    name = header.lower()

    def fget(owner: Any) -> Any:
        lines: Lines = owner._headerlist  # noqa: SLF001 - the state of a response
        return parse(first_value(lines, name))

    def fset(owner: Any, value: Any) -> None:
        text = None if value is None else serialize(value)
        lines: Lines = owner._headerlist  # noqa: SLF001
        if text is None:
            remove_lines(lines, name)
        else:
            check_value(header, text)
            replace_line(lines, name, (header, text))

    def fdel(owner: Any) -> None:
        remove_lines(owner._headerlist, name)  # noqa: SLF001

    return property(fget, fset, fdel, f"The header {header}; None without one.")


def _as_it_is(value: Any) -> Any:
    return value


def header_getter(header: str, rfc_section: str | None = None) -> property:  # noqa: ARG001 - WebOb's signature
    """Return an attribute for a header as text; None stands for an absent one, and removes it.

    Setting raises ValueError for control characters, and TypeError for anything that is not text.
    """
    return header_property(header, _as_it_is, _as_it_is)


def list_header(header: str, rfc_section: str | None = None) -> property:  # noqa: ARG001 - WebOb's signature
    """Return an attribute for a header as a tuple; it may be set to text or to an iterable."""
    return header_property(header, parse_list, serialize_list)


def date_header(header: str, rfc_section: str | None = None) -> property:  # noqa: ARG001 - WebOb's signature
    """Return an attribute for a header as a datetime in UTC; it may be set as ``serialize_date`` takes it."""
    return header_property(header, parse_date, serialize_date)
