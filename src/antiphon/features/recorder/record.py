"""The record of a request: how it arrived, how the application handled it, how it failed, and why it is kept."""

import hashlib
import os
import re
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from traceback import TracebackException
from types import TracebackType
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, unquote

import msgspec

import antiphon
from antiphon import Dependency, Request, Response
from antiphon.embedding import Content, DerivedHead, Head, RequestHead, RequestState, arrivals
from antiphon.features.recorder.disguise import LONGEST_TEXT, Disguise
from antiphon.http import Address

MAX_RESPONSE = 16 << 10
"""The number of bytes of a response's body to keep."""
_LONGEST = 2000
"""The maximum number of characters of a message or a user's name to keep."""
_CODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Fields that describe a body as it was sent, and are wrong once it is decoded or shortened."""


class Record(msgspec.Struct, kw_only=True):
    """One kept request. Text and bodies contain no secrets once the record is written."""

    request_id: str
    time: float
    """The Unix time at which the request failed, in seconds."""
    interface: Literal["wsgi", "asgi"]
    method: str
    path: str
    raw_path: bytes | None
    query: bytes
    scheme: str
    authority: str
    root_path: str
    http_version: str
    client: tuple[str, int | None] | None
    fields: list[tuple[str, str]]
    body: bytes
    lack: str = ""
    """A description of the part of the body that is missing; empty if the body is complete."""
    pattern: str = ""
    """The pattern of the route that matched, including the prefixes of mounts."""
    endpoint: str = ""
    params: dict[str, str] = {}
    """The path's parameters, as text."""
    user: str = ""
    """The user's key, by which ``forget`` finds the record."""
    session: dict[str, str] = {}
    """The names that were used in the session, each with the kind of its value."""
    dependencies: dict[str, Any] = {}
    """The values of the ``recorded`` dependencies, by name."""
    messages: list[tuple[Literal["text", "bytes"], bytes]] = []
    """The last messages that a WebSocket received."""
    is_socket: bool = False
    status: int = 0
    response_body: bytes = b""
    response_fields: list[tuple[str, str]] = []
    seconds: float = 0.0
    error: str = ""
    """The error's type and message, as in the last line of a traceback."""
    place: str = ""
    """The file and line that raised the error, relative to the project."""
    frames: list[tuple[str, str]] = []
    """The file and function of each frame, innermost last."""
    traceback: str = ""
    release: str = ""

    @property
    def began(self) -> float:
        """The Unix time at which the request began, in seconds."""
        return self.time - self.seconds

    @property
    def content_type(self) -> str:
        """The declared type of the body."""
        return _content_type(self.fields)

    @property
    def target(self) -> str:
        """The path and query as sent."""
        path = (self.raw_path or b"").decode("latin-1") or self.root_path + self.path
        return f"{path}?{self.query.decode('latin-1')}" if self.query else path

    def _sent_fields(self) -> list[tuple[str, str]]:
        """Return the fields for a body whose length may differ from that of the received body."""
        fields = [field for field in self.fields if field[0] not in ("content-length", "transfer-encoding")]
        return [*fields, ("content-length", str(len(self.body)))] if self.body else fields

    def request(self) -> Request:
        """Return the request to replay."""
        head = RequestHead(
            self.method,
            self.path,
            self.query,
            scheme=self.scheme,
            authority=self.authority,
            root_path=self.root_path,
            raw_path=self.raw_path,
            http_version=self.http_version,
            client=None if self.client is None else Address(*self.client),
        )
        head._fields = self._sent_fields()
        return Request(head, self.body)


def without_secrets(record: Record, hidden: Disguise) -> Record:
    """Return the record without secrets."""
    path = None if record.raw_path is None else hidden.path(record.raw_path.decode("latin-1"))
    body = hidden.body(record.body, record.content_type) if record.body else b""
    return msgspec.structs.replace(
        record,
        params={name: hidden.named(name, value) for name, value in record.params.items()},
        path=unquote(hidden.path(quote(record.path))),
        raw_path=None if path is None else path.encode("latin-1", "replace"),
        query=hidden.pairs(record.query),
        fields=hidden.fields(record.fields),
        body=body or b"",
        lack=record.lack if body is not None else _not_kept(record),
        dependencies=hidden.value(record.dependencies),
        messages=[(kind, hidden.content(each, "application/json")) for kind, each in record.messages],
        response_body=hidden.body(record.response_body, _content_type(record.response_fields)) or b"",
        response_fields=hidden.fields(record.response_fields),
    )


def _not_kept(record: Record) -> str:
    kind = record.content_type.partition(";")[0].strip()[:100] or "an unknown type"
    return f"the body, {len(record.body)} bytes of {kind}, was not kept: only whole forms and JSON are"


def _content_type(fields: list[tuple[str, str]]) -> str:
    return next((value for name, value in fields if name == "content-type"), "")


class Cause(NamedTuple):
    """The reason why requests are kept. Requests with the same reason share its ``id``."""

    id: str
    place: str = ""


_STDLIB = os.path.join(sysconfig.get_path("stdlib"), "")
_OURS = os.path.join(os.path.dirname(antiphon.__file__), "")
_installed = re.compile(r".*[/\\](?:site|dist)-packages[/\\]").match


def is_own(file: str) -> bool:
    """Return True for a file that is not installed and is neither Python's nor this package's."""
    return not (file.startswith(("<", _STDLIB, _OURS)) or _installed(file))


def is_ours(file: str) -> bool:
    """Return True for a file of this package."""
    return file.startswith(_OURS)


def shown(file: str) -> str:
    """Return a path that makes sense on other machines: relative to the project or to the installed packages."""
    if found := _installed(file):
        return file[found.end() :]
    for start, prefix in ((_OURS, "antiphon/"), (_STDLIB, ""), (os.path.join(os.getcwd(), ""), "")):
        if file.startswith(start):
            return prefix + file.removeprefix(start)
    return os.path.basename(file) if os.path.isabs(file) else file


def cause_of_error(error: BaseException) -> Cause:
    """Return an error's cause: its type, and the place in the function that raised it."""
    place = main_place(error.__traceback__)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if place is None:
        return cause_of(kind)
    file, line, function, first = place
    return Cause(cause_of(kind, shown(file), function, str(line - first)).id, f"{shown(file)}:{line}")


def cause_of(*parts: str) -> Cause:
    """Return the cause that these strings identify."""
    return Cause(hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:6])


def main_place(traceback: TracebackType | None) -> tuple[str, int, str, int] | None:
    """Return the file, line, function and the function's first line for the innermost frame of the project's own
    code."""
    own = last = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        last = (code.co_filename, traceback.tb_lineno, code.co_qualname, code.co_firstlineno)
        if is_own(code.co_filename):
            own = last
        traceback = traceback.tb_next
    return own or last


def record_of(request: Request, response: Response | None, *, largest: int, release: str) -> Record:
    """Return the record of a request as it is, including secrets. The only file that this reads is the body's."""
    head = _sent_head(request.head)
    body, lack = _body(request, largest)
    return Record(
        request_id=RequestState(request).id,
        time=time.time(),
        interface="wsgi" if head.blocks else "asgi",
        method=head.method,
        path=head.path,
        raw_path=head.raw_path,
        query=head.query_string,
        scheme=head.scheme,
        authority=head.authority,
        root_path=head.root_path,
        http_version=head.http_version,
        client=None if head.client is None else (head.client.host, head.client.port),
        fields=_fields(head, request.content, is_cut=bool(lack)),
        body=body,
        lack=lack,
        pattern=request.route.pattern + RequestState(request).pattern_below,
        endpoint=request.route.name,
        params={name: str(value)[:_LONGEST] for name, value in request.path_params.items()},
        user=_user_of(request),
        session=_session_of(request),
        dependencies=dict(_dependencies_of(request)),
        is_socket=getattr(head, "channel", None) is not None,
        release=release,
        **({} if response is None else _response_of(response)),
        messages=_messages_of(response),
    )


def _sent_head(head: Head) -> Head:
    """Return the head as the server received it, or as a tool's call was made."""
    while isinstance(head, DerivedHead) and not head.is_of_call:
        head = head.inner
    return head


def _body(request: Request, largest: int) -> tuple[bytes, str]:
    content = request.content
    body = content.data or b""
    if content.data is None and not content.is_kept:
        return b"", "the body was streamed, and not kept"
    if content.data is None:
        with suppress(Exception):  # the body is closed, or still being received
            while len(body) < min(content.size, largest + 1) and (chunk := content.read_at(len(body))):
                body += chunk
    if len(body) > largest or content.size > len(body):
        return body[:largest], f"the body has {content.size} bytes, of which the first {largest} were kept"
    if not content.is_complete and request.head.has_body:
        return body, f"only {len(body)} bytes of the body had been received"
    return body, ""


def _fields(head: Head, content: Content, *, is_cut: bool) -> list[tuple[str, str]]:
    if not content.is_decoded and not is_cut:
        return [*head.fields()]
    return [(name, value) for name, value in head.fields() if name not in _CODING]


def _messages_of(response: Response | None) -> list[tuple[Literal["text", "bytes"], bytes]]:
    connection = getattr(response, "connection", None)
    received = getattr(connection, "last_received", None) or ()
    return [
        ("text", each.encode("utf-8", "surrogatepass")) if isinstance(each, str) else ("bytes", bytes(each))
        for each in received
        if len(each) <= MAX_RESPONSE
    ]


def _response_of(response: Response) -> dict[str, Any]:
    body = response.body
    return {
        "status": 0 if response.status == 101 else response.status,
        "response_body": body[:MAX_RESPONSE] if isinstance(body, bytes) else b"",
        "response_fields": [*response.headers.items()],
    }


def _user_of(request: Request) -> str:
    """Return the key by which a replay makes the user again, which identities of a caller don't contain."""
    return next(filter(None, map(_user_in, arrivals(request))), "")


def _user_in(request: Request) -> str:
    """Return the key of the user that one application has found."""
    known = RequestState(request).values
    with suppress(Exception):  # a key that is not valid
        user = known.get(Request.user)
        if user is not None:
            has_users = request.app is not None and request.app.is_provided(RequestState.USERS)
            key = request[RequestState.USERS].stored_key(user) if has_users else None
            return str(key or (user if isinstance(user, str | int) else getattr(user, "id", "")))[:_LONGEST]
        if Request.session in known:
            logins = (each.id for each in request.caller.identities if each.kind == "login")
            return next(logins, "")[:_LONGEST]
    return ""


def _session_of(request: Request) -> dict[str, str]:
    session = RequestState(request).values.get(Request.session)
    if session is None or not getattr(session, "is_used", True):
        return {}
    with suppress(Exception):  # the store is not available
        return {name: type(session.peek(name)).__name__ for name in session if name[:1] != "_"}
    return {}


def _dependencies_of(request: Request) -> Iterator[tuple[str, Any]]:
    for dependency, value in RequestState(request).values.items():
        if isinstance(dependency, Dependency) and dependency.recorded:
            with suppress(Exception):  # a value that JSON can't express
                yield dependency.name, msgspec.to_builtins(value)


class Trace(NamedTuple):
    """An error, recorded when it was raised, for printing later."""

    noted: TracebackException
    place: str

    @classmethod
    def of(cls, error: BaseException, place: str) -> "Trace":
        """Record an error without reading its source, which takes time."""
        return cls(TracebackException.from_exception(error, lookup_lines=False, compact=True), place)

    @property
    def last_line(self) -> str:
        """The error's type and message, as in the last line of a traceback."""
        return [*self.noted.format_exception_only()][-1].strip()[:_LONGEST]

    def described(self, hidden: Disguise) -> dict[str, Any]:
        """Return the record's members that describe the error, without secrets."""
        _shorten_paths(self.noted, set())
        return {
            "error": [*_messages(self.noted, hidden)][-1].strip()[:_LONGEST],
            "place": self.place,
            "frames": [(frame.filename, frame.name) for frame in self.noted.stack],
            "traceback": "".join(_written(self.noted, hidden))[-LONGEST_TEXT:],
        }


def _written(noted: TracebackException, hidden: Disguise) -> Iterator[str]:
    """Yield a traceback as Python prints it. Its source is shown, but its messages may come from a request."""
    if noted.__cause__ is not None:
        yield from _written(noted.__cause__, hidden)
        yield "\nThe above exception was the direct cause of the following exception:\n\n"
    elif noted.__context__ is not None and not noted.__suppress_context__:
        yield from _written(noted.__context__, hidden)
        yield "\nDuring handling of the above exception, another exception occurred:\n\n"
    if noted.stack:
        yield "Traceback (most recent call last):\n"
        yield from map(hidden.code, noted.stack.format())
    yield from _messages(noted, hidden)
    for member in noted.exceptions or ():
        yield from ("  | " + line for line in "".join(_written(member, hidden)).splitlines(keepends=True))


def _messages(noted: TracebackException, hidden: Disguise) -> Iterator[str]:
    for line in noted.format_exception_only():
        kind, sign, message = line.rstrip("\n").partition(": ")
        yield f"{hidden.message(kind)}{sign}{hidden.message(message)}\n"


def _shorten_paths(noted: TracebackException | None, seen: set[int]) -> None:
    if noted is None or id(noted) in seen:
        return
    seen.add(id(noted))
    for frame in noted.stack:
        frame.line  # noqa: B018 - reads the file, which has this name only now
        frame.filename = shown(frame.filename)
    for other in (noted.__cause__, noted.__context__, *(noted.exceptions or ())):
        _shorten_paths(other, seen)
