"""A report about an error: its chain of failures with their frames, and the request as the Request object has it."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import NamedTuple, TypeAlias

from antiphon.app.application import App
from antiphon.app.dispatch.plan import Plan
from antiphon.cli.debug.frames import Frame, frames_of, nearest_name, places_of, readable, source_lines
from antiphon.cli.debug.values import Printer
from antiphon.cli.interface import shorten
from antiphon.cli.target import is_own, shown_path
from antiphon.features.masking import MASK, Mask
from antiphon.features.secret_names import is_secret, secrets_of_path
from antiphon.request.request import Request

_LARGEST_BODY = 16 << 10
"""The maximum size of a body that is shown, in bytes."""
_MOST = 100
"""The maximum number of rows in a section."""
_LONGEST_COOKIE = 15
"""The maximum length of a cookie's value that is shown. Longer values may be credentials, whatever the name."""

Rows: TypeAlias = Iterable[tuple[str, str]]


class Section(NamedTuple):
    """A section about the request, with rows of names and values."""

    title: str
    rows: tuple[tuple[str, str], ...]


def sections_of(request: Request, printer: Printer, mask: Mask) -> tuple[Section, ...]:
    """Return the sections that have rows. If a section can't be read, it contains a note instead."""
    parts: dict[str, Callable[[], Rows]] = {
        "Head": lambda: _basics(request, mask),
        "Route": lambda: _facts(request),
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
    for secret in secrets_of_path(request.path):
        mask.add(secret)
    yield "method", mask.text(request.method)
    yield "URL", mask.text(request.url)
    if route.pattern:
        yield "route", route.pattern
    if route.name:
        yield "handler", mask.known(shorten(route.handled_by))
    if request.client is not None:
        yield "client", f"{request.client.host} port {request.client.port}"
    yield "HTTP version", request.http_version
    yield "id", mask.text(request.id)


def _facts(request: Request) -> Rows:
    """Return the facts about a request's route, and the mounts on the way to it, for which little code is read."""
    from antiphon.cli.route_facts import facts_of, rows_of  # imported late: few requests fail

    plans: list[Plan] = []
    each: Request | None = request if request.route.name else None
    while each is not None and isinstance(each.route.app, App):
        plans.insert(0, each.route.app._plan_of(copy(each)))
        each = each._outer_request
    return rows_of(facts_of(plans, request.method, has_document=False)) if plans else []


def _fields(
    fields: Iterable[tuple[str, str]], mask: Mask, is_secret: Callable[[str, str], bool] = is_secret
) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        if is_secret(name, value):
            mask.add(value)
            yield mask.text(name), MASK
        else:
            yield mask.text(name), mask.text(value)


def _is_secret_header(name: str, value: str) -> bool:
    return name.endswith("-key") or is_secret(name, value)  # API keys may have any prefix


def _is_secret_cookie(name: str, value: str) -> bool:
    return len(value) > _LONGEST_COOKIE or is_secret(name, value)


def _body(request: Request, printer: Printer, mask: Mask) -> Rows:
    """Return the form or JSON of a small received body; for any other body, its type and size."""
    read = vars(request)
    if "form" in read:
        return _form(request, mask)
    if "json" in read:
        return [("JSON", printer.show(read["json"]))]
    data = request.body if request._is_in_bytes else request.content.data
    if not data and not request.head.has_body:
        return []
    if not data or len(data) > _LARGEST_BODY:
        return [("type", mask.text(request.mimetype or "none")), ("size", f"{request.content.received} bytes received")]
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


_LONGEST_CHAIN = 12
_MEMBERS = 10
_MESSAGE = 4_000
_NOTES = 20


class Failure(NamedTuple):
    """One error in a chain. ``relation`` describes how it caused the previous one; ``members`` are a group's errors."""

    relation: str
    kind: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[Frame, ...]
    members: tuple["Failure", ...]
    members_left_out: int

    @property
    def summary(self) -> str:
        """The type and the message, as at the end of a traceback."""
        return f"{self.kind}: {self.message}" if self.message else self.kind

    @property
    def main_frame(self) -> Frame | None:
        """The innermost frame of the project's own code, or else the innermost frame."""
        own = [frame for frame in self.frames if frame.is_own]
        return own[-1] if own else self.frames[-1] if self.frames else None


class Report(NamedTuple):
    """The failures, the last one first, and the details of the request."""

    failures: tuple[Failure, ...]
    sections: tuple[Section, ...]


def report_of(error: BaseException, request: Request | None) -> Report:
    """Return the report about an error. It is made twice: secrets found in the first pass are masked in the second."""
    mask = Mask()
    _report(error, request, mask)
    return _report(error, request, mask)


def _report(error: BaseException, request: Request | None, mask: Mask) -> Report:
    printer = Printer(mask)
    sections = sections_of(request, printer, mask) if request is not None else ()
    return Report(tuple(_Chain(printer, mask).failures(error)), sections)


class _Chain:
    """The failures in an error's chain, each of them once."""

    def __init__(self, printer: Printer, mask: Mask) -> None:
        self._printer = printer
        self._mask = mask
        self._seen: set[int] = set()

    def failures(self, error: BaseException, relation: str = "") -> Iterator[Failure]:
        """Yield an error, then the error that it was raised from or while handling, and so on."""
        current = error
        for _ in range(_LONGEST_CHAIN):
            self._seen.add(id(current))
            yield self._failure(relation, current)
            if current.__cause__ is not None:
                relation, following = "It was raised from this error", current.__cause__
            elif current.__context__ is not None and not current.__suppress_context__:
                relation, following = "It was raised while this error was handled", current.__context__
            else:
                return
            if id(following) in self._seen:
                return
            current = following

    def _failure(self, relation: str, error: BaseException) -> Failure:
        frames = frames_of(places_of(error.__traceback__), self._printer, self._mask)
        members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        kept = [each for each in members[:_MEMBERS] if id(each) not in self._seen and len(self._seen) < 50]
        self._seen.update(map(id, kept))
        return Failure(
            relation,
            _kind(error),
            self._message(error),
            tuple(self._notes(error)),
            frames + _place_of_bad_syntax(error, self._mask),
            tuple(
                failure
                for number, each in enumerate(kept, 1)
                for failure in self.failures(each, f"Error {number} of the group")
            ),
            len(members) - len(kept),
        )

    def _message(self, error: BaseException) -> str:
        """Return the message. The app's own code creates the message's text, as it does for the log."""
        try:
            text = error.msg if isinstance(error, SyntaxError) else str(error)
        except Exception as broken:
            return f"<its message failed: {type(broken).__name__}>"
        near = nearest_name(error) if isinstance(error, NameError) else None
        return self._cleaned(f"{text}. Did you mean {near!r}?" if near else text)

    def _notes(self, error: BaseException) -> Iterator[str]:
        notes = getattr(error, "__notes__", ())
        if isinstance(notes, list | tuple):
            for note in notes[:_NOTES]:
                yield self._cleaned(note) if isinstance(note, str) else self._printer.show(note)

    def _cleaned(self, text: str) -> str:
        cleaned = self._mask.text(text)
        return cleaned if len(cleaned) <= _MESSAGE else f"{cleaned[:_MESSAGE]}..."


def _kind(error: BaseException) -> str:
    kind = type(error)
    name = readable(kind.__qualname__)
    return name if kind.__module__ in ("builtins", "__main__") else f"{readable(kind.__module__)}.{name}"


def _place_of_bad_syntax(error: BaseException, mask: Mask) -> tuple[Frame, ...]:
    """Return the location of a syntax error in source code, which is not in any frame."""
    if not isinstance(error, SyntaxError) or not error.filename or not error.lineno:
        return ()
    path = error.filename
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            source = file.read(1 << 20).splitlines()
    except OSError:
        source = [""] * (error.lineno - 1) + [error.text or ""]
    start = (error.offset or 1) - 1
    end = (error.end_offset or 0) - 1 if error.end_lineno == error.lineno else start + 1
    text = source[error.lineno - 1] if error.lineno <= len(source) else ""
    columns = (_in_bytes(text, start), _in_bytes(text, max(end, start + 1)))
    lines = source_lines(source, error.lineno, (error.lineno, error.lineno, *columns), mask)
    own = is_own(os.path.abspath(path))
    return (Frame(readable(shown_path(path)), readable(path), error.lineno, "", lines, (), own),)


def _in_bytes(text: str, column: int) -> int:
    return len(text[:column].encode("utf-8", "replace"))
