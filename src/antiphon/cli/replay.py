"""The replay of a kept request with the current code: what can be restored, and where the runs first differ."""

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from antiphon import App, Dependency, Request, Response, Session, from_asgi, from_wsgi
from antiphon.adapters.foreign.asgi_mount import make_socket_scope
from antiphon.embedding import RequestState, Servable, run_async
from antiphon.features.masking import MASK
from antiphon.features.recorder.as_test import empty_of, kept_dependencies
from antiphon.features.recorder.feature import Recorder
from antiphon.features.recorder.record import Record, Trace, cause_of_error, is_own, shown
from antiphon.features.sessions import SESSIONS

_LONGEST_WAIT = 2.0
"""The number of seconds to listen to a WebSocket after it has received all messages."""


class Outcome(NamedTuple):
    """The response to a replayed request, or the error that ended it."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    error: BaseException | None = None


class Restored(NamedTuple):
    """Values to restore for a replay: the user, and the clock if a package can set it."""

    user: Callable[[str], object] | None = None
    """The function that makes a user from a key, like the factory in the project's tests."""
    clock: bool = True


def replay(app: Any, keep: Recorder, record: Record, restored: Restored | None = None) -> Outcome:
    """Replay a kept request in this process, without keeping anything."""
    restored = restored or Restored()
    with ExitStack() as stack:
        errors = stack.enter_context(keep.catching())
        if restored.clock:
            stack.enter_context(clock_of(record))
        if isinstance(app, App):
            for override in _overrides(app, record, restored):
                stack.enter_context(override)
        outcome = _send(app, record)
    error = errors[0] if errors else outcome.error
    return outcome._replace(error=error)


def _send(app: Any, record: Record) -> Outcome:
    try:
        if record.is_socket:
            return asyncio.run(_converse(app, record))
        if record.interface == "wsgi":
            return _send_over_wsgi(app, record)
        return asyncio.run(_send_over_asgi(app, record))
    except Exception as error:  # it escaped the application
        return Outcome(500, [], b"", error)


def _send_over_wsgi(app: Any, record: Record) -> Outcome:
    request = record.request()
    try:
        return _outcome(from_wsgi(app)(request).freeze())
    finally:
        if isinstance(app, Servable):
            app.stop()


async def _send_over_asgi(app: Any, record: Record) -> Outcome:
    request = record.request()
    if isinstance(app, Servable):
        await app.astart()
    try:
        response = await from_asgi(app)(request)
        return _outcome(await response.afreeze())
    finally:
        await run_async(RequestState(request).finish())
        if isinstance(app, Servable):
            await app.astop()


def _outcome(frozen: Response) -> Outcome:
    body: Any = frozen.body  # bytes, since the stream was read into memory
    return Outcome(frozen.status, frozen.headers.items(), body, frozen.error)


async def _converse(app: Any, record: Record) -> Outcome:
    """Open a WebSocket, send the messages that were kept, and wait until the application ends."""
    scope = make_socket_scope(record.request())
    messages = [
        {"type": "websocket.receive", kind: data.decode() if kind == "text" else data} for kind, data in record.messages
    ]
    events: Iterator[dict[str, Any]] = iter([{"type": "websocket.connect"}, *messages])
    status, code = 101, 1000

    async def receive() -> dict[str, Any]:
        event = next(events, None)
        if event is None:
            await asyncio.sleep(_LONGEST_WAIT if code == 1000 else 0)
            return {"type": "websocket.disconnect", "code": 1000}
        return event

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, code
        if message["type"] == "websocket.close":
            code = message.get("code", 1000)
        elif message["type"] == "websocket.http.response.start":
            status = message["status"]

    if isinstance(app, Servable):
        await app.astart()
    try:
        await app(scope, receive, send)
    finally:
        if isinstance(app, Servable):
            await app.astop()
    return Outcome(500 if code == 1011 else status, [], b"")


def send_to(url: str, record: Record) -> Outcome:
    """Send a kept request to the server at a URL. Raises OSError or ValueError."""
    address = urlsplit(url)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=30)
    try:
        connection.putrequest(record.method, record.target, skip_host=True, skip_accept_encoding=True)
        request = record.request()
        for name, value in request.head.fields():
            if name not in ("connection", "transfer-encoding", "expect"):
                connection.putheader(name, value.encode("latin-1", "replace"))
        if not request.head.field("host"):
            connection.putheader("host", record.authority)
        connection.endheaders(record.body or None)
        response = connection.getresponse()
        return Outcome(
            response.status, [(name.lower(), value) for name, value in response.getheaders()], response.read()
        )
    finally:
        connection.close()


# Restoring


@contextmanager
def clock_of(record: Record) -> Iterator[None]:
    """Set the clock to a record's time and let it run from there, if the time-machine package is installed."""
    try:
        import time_machine
    except ModuleNotFoundError:
        yield
        return
    with time_machine.travel(record.time, tick=True):
        yield


def _overrides(app: App, record: Record, restored: Restored) -> Iterator[Any]:
    for dependency in kept_dependencies(app, record):
        yield app.override(dependency, _converted(dependency, record.dependencies[dependency.name]))
    if record.user and restored.user is not None and app.is_provided(Request.user):
        yield app.override(Request.user, restored.user(record.user))
    if record.session and app.is_provided(SESSIONS):
        yield app.override(Request.session, source=lambda request: _session(request, record))


def _converted(dependency: Dependency[Any], value: Any) -> Any:
    arguments = getattr(getattr(dependency, "__orig_class__", None), "__args__", ())
    with suppress(msgspec.ValidationError, TypeError):
        return msgspec.convert(value, arguments[0]) if arguments else value
    return value


def _session(request: Request, record: Record) -> Session:
    session = request[SESSIONS].load(request)
    for name, kind in record.session.items():
        session[name] = empty_of(kind)
    return session


def lacks(record: Record, restored: Restored, *, is_app: bool) -> Iterator[str]:
    """Yield a sentence for everything that a replay can't restore."""
    yield "The database and other services are this machine's, in their current state."
    yield "Credentials, cookies and other secrets are replaced with values of the same shape."
    if record.lack:
        yield f"{record.lack[0].upper()}{record.lack[1:]}."
    if record.user and (restored.user is None or not is_app):
        yield f"The user {record.user!r} is not logged in: --user MODULE:FUNCTION names the function that makes users."
    if record.session:
        names = ", ".join(sorted(record.session))
        yield (
            f"The session has these names, with empty values: {names}."
            if is_app
            else f"The session had these names: {names}."
        )
    if record.is_socket:
        yield "Only the last messages of the WebSocket were kept."
    if restored.clock:
        with suppress(ModuleNotFoundError):
            import time_machine  # noqa: F401

            return
        yield "The clock is not set to the time of the request, which needs the time-machine package."


# Comparing


def compared(record: Record, outcome: Outcome) -> str:
    """Return a sentence that says where the replay first differs from the recorded run."""
    error = outcome.error
    if error is None and outcome.status >= 500 and record.status >= 500:
        return f"The status is {outcome.status} again."
    if error is None:
        return f"It no longer fails: the status is {outcome.status}, and was {record.status}."
    place = cause_of_error(error).place
    told = Trace.of(error, place).last_line
    same = told == record.error or (MASK in record.error and _kind(told) == _kind(record.error))
    if same and place.partition(":")[0] == record.place.partition(":")[0]:
        return f"It fails as it did: {told} at {place}."
    was = f"It was {record.error} at {record.place}, and is {told} at {place}."
    return f"{was} {_first_difference(record, error)}"


def _kind(told: str) -> str:
    return told.partition(":")[0]


def _first_difference(record: Record, error: BaseException) -> str:
    now = [*_own_frames(error)]
    before = [(file, function) for file, function in record.frames if not file.startswith("antiphon/")]
    for then, today in zip(before, now, strict=False):
        if then != today:
            return f"The runs differ first in {today[1]} ({today[0]}), which was {then[1]} ({then[0]})."
    last = (now or before or [("", "")])[: min(len(now), len(before)) or 1][-1]
    return f"The runs are the same up to {last[1]} ({last[0]})."


def _own_frames(error: BaseException) -> Iterator[tuple[str, str]]:
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_own(code.co_filename):
            yield shown(code.co_filename), code.co_name
        traceback = traceback.tb_next
