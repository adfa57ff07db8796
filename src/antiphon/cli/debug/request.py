"""The request as the Request saw it, in sections of names and values, without secrets."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from antiphon.cli.debug.masking import MASK, Mask, is_secret_name
from antiphon.cli.debug.values import Printer
from antiphon.cli.interface import shorten
from antiphon.request.request import Request

_LARGEST_BODY = 16 << 10
"""The maximum size of a body that is shown, in bytes."""
_MOST = 100
"""The maximum number of rows in a section."""
_LONGEST_COOKIE = 15
"""The maximum length of a cookie's value that is shown. A longer one may be a credential, whatever its name."""

Rows: TypeAlias = Iterable[tuple[str, str]]


class Section(NamedTuple):
    """A part of the request, and its rows: names and values."""

    title: str
    rows: tuple[tuple[str, str], ...]


def sections_of(request: Request, printer: Printer, mask: Mask) -> tuple[Section, ...]:
    """Return the sections that have rows. A section that can't be read says so."""
    parts: dict[str, Callable[[], Rows]] = {
        "Head": lambda: _basics(request, mask),
        "Parameters of the path": lambda: [
            (name, printer.show(value, name)) for name, value in request.path_params.items()
        ],
        "Query": lambda: _fields(request.args.items(), mask),
        "Headers": lambda: _fields(request.headers.items(), mask, _is_secret_header),
        "Cookies": lambda: _fields(request.cookies.items(), mask, _is_secret_cookie),
        "Body": lambda: _body(request, printer, mask),
    }
    sections = (Section(title, _read(rows)) for title, rows in parts.items())
    return tuple(section for section in sections if section.rows)


def _read(rows: Callable[[], Rows]) -> tuple[tuple[str, str], ...]:
    try:
        found = [*rows()]
    except Exception as error:
        return (("not shown", f"{type(error).__name__} while it was read"),)
    more = [("...", f"{len(found) - _MOST} more")] if len(found) > _MOST else []
    return (*found[:_MOST], *more)


def _basics(request: Request, mask: Mask) -> Iterator[tuple[str, str]]:
    route = request.route
    yield "method", mask.text(request.method)
    yield "URL", mask.text(request.url)
    if route.pattern:
        yield "route", route.pattern
    if route.name:
        yield "handler", mask.known(shorten(route.answered_by))
    if request.client is not None:
        yield "client", f"{request.client.host} port {request.client.port}"
    yield "HTTP version", request.http_version
    yield "id", mask.text(request.id)


def _fields(
    fields: Iterable[tuple[str, str]],
    mask: Mask,
    is_secret: Callable[[str, str], bool] = lambda name, _: is_secret_name(name),
) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        if is_secret(name, value):
            mask.add(value)
            yield mask.text(name), MASK
        else:
            yield mask.text(name), mask.text(value)


def _is_secret_header(name: str, _value: str) -> bool:
    return name.endswith("-key") or is_secret_name(name)  # not all of them are called API key


def _is_secret_cookie(name: str, value: str) -> bool:
    return len(value) > _LONGEST_COOKIE or is_secret_name(name)


def _body(request: Request, printer: Printer, mask: Mask) -> Rows:
    """Return the form or the JSON of a small body that was received; for any other body its type and its size."""
    read = vars(request)
    if "form" in read:
        return _form(request, mask)
    if "json" in read:
        return [("JSON", printer.show(read["json"]))]
    data = request.body if request._is_in_bytes else request.content.data
    if not data and not request.head.has_body:
        return []
    if not data or len(data) > _LARGEST_BODY:
        return [
            ("type", mask.text(request.mimetype or "none")),
            ("size", f"{request.progress.received} bytes received"),
        ]
    return _small(request, data, printer, mask)


def _small(request: Request, data: bytes, printer: Printer, mask: Mask) -> Rows:
    kind = request.mimetype or "none"
    if kind == "application/x-www-form-urlencoded":
        return _form(request, mask)
    if kind.endswith("json"):
        try:
            return [("JSON", printer.show(json.loads(data)))]
        except ValueError:
            return [("type", mask.text(kind)), ("malformed", printer.show(data))]
    return [("type", mask.text(kind)), ("size", f"{len(data)} bytes")]


def _form(request: Request, mask: Mask) -> Iterator[tuple[str, str]]:
    yield from _fields(request.form.items(), mask)
    for name, upload in vars(request).get("files", {}).items():
        yield mask.text(name), f"a file of {upload.size} bytes, {mask.text(upload.filename or '')!r}"
