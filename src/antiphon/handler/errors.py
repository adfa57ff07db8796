"""Responses to errors without an error handler: problem details or a page, and the challenges of a 401."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from antiphon.concurrency.loop import is_on_loop
from antiphon.http import errors
from antiphon.http.accept import Accept
from antiphon.http.errors import (
    BadRequest,
    ClientDisconnected,
    HTTPError,
    IncompleteBody,
    InternalServerError,
    localizers,
)
from antiphon.http.head import DerivedHead
from antiphon.http.redirect import RaisedResponse
from antiphon.lazy import frameworks
from antiphon.request.dependencies import Dependency
from antiphon.request.interfaces import Language, language_of
from antiphon.request.request import Request
from antiphon.request.watching import Reads, note_in_head
from antiphon.response.fields import HTML, NOT_SNIFFED, Line, vary
from antiphon.response.response import Response, response_of

USERS = Dependency[Any]("users", fix="app.use(Users(...))")
"""The feature that manages an application's users: ``challenges(request)`` returns those of its 401 responses."""

_GENERAL = "Bearer"


def _challenge_for(request: Request) -> str:
    """Return the WWW-Authenticate for a 401 that has none, or an empty string."""
    app = request.route.app
    if app is None or not app.is_provided(USERS):
        return ""
    try:
        return ", ".join(map(str, request[USERS].challenges(request)))
    except Exception:
        import logging

        logging.getLogger("antiphon").exception("no challenge could be made for a 401, request %s", request._id)
        return _GENERAL


def _allow_for(request: Request) -> str:
    """Return the Allow for a 405 that has none: the methods of the path, except the one that was refused."""
    route = request.route
    methods = route.methods if route.app is None else route.app._methods_at(request)
    refused = {"GET", "HEAD"} if request.method in ("GET", "HEAD") else {request.method}
    return ", ".join(sorted({*methods} - refused))


class _Demand(NamedTuple):
    """The header field that a status requires, how it is made for an error without it, and what to write instead."""

    name: str
    make: Callable[[Request], str]
    general: str | None
    fix: str


_DEMANDED = {
    401: _Demand(
        "www-authenticate",
        _challenge_for,
        _GENERAL,
        'abort(401, challenge="Bearer") says how to log in, or app.use(Users(...)) does for all routes',
    ),
    405: _Demand("allow", _allow_for, "", ""),
    407: _Demand("proxy-authenticate", lambda _: "", _GENERAL, 'abort(407, challenge="Basic") says how to log in'),
    426: _Demand("upgrade", lambda _: "", None, 'abort(426, upgrade="TLS/1.3") names the protocol'),
}
"""What RFC 9110 requires of some statuses (§11.7.1, §15.5.2, §15.5.6, §15.5.22)."""


def _advise(request: Request, error: HTTPError, demand: _Demand) -> None:
    import logging

    logging.getLogger("antiphon").warning(
        "%s responded with %s without %s, raised at %s; clients were told %r: %s",
        request.route.handled_by,
        error.status,
        demand.name,
        _raised_at(error),
        demand.general,
        demand.fix,
    )


def _raised_at(error: HTTPError) -> str:
    """Return the file and line that raised an error, or that called ``abort``."""
    place, traceback = "an unknown line", error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename != errors.__file__:
            place = f"{code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


PROBLEM = "application/problem+json"


class DebugMode(Protocol):
    """A function that adds what is known about an error to its response, and the rule for who may see such things."""

    def __call__(self, request: Request, error: BaseException, response: Response) -> None:
        """Add the details of an error to its response."""
        ...

    def may_see(self, request: Request) -> bool:
        """Return True unless another site or an unknown proxy may be behind a request."""
        ...


_debug_page: DebugMode | None = None


def is_debug() -> bool:
    """True in the processes in which ``antiphon run --debug`` serves an app, even before the app is imported.

    No setting in code turns debug mode on. Call this where a developer's mistake should raise an error during
    development but be ignored in production.
    """
    return _debug_page is not None


def is_seen_in_debug(request: Request) -> bool:
    """True in debug mode for a request whose client may see what that mode adds: ask this before adding anything."""
    return _debug_page is not None and _debug_page.may_see(request)


def set_debug_page(raised: DebugMode | None) -> None:
    """Turn this process's debug mode on or off. Only for the command."""
    global _debug_page  # noqa: PLW0603 - one mode per process
    _debug_page = raised


class Localized(NamedTuple):
    """An error in the language of a request, and that language; None if its application has no languages."""

    error: HTTPError
    language: Language | None


def localized(request: Request, error: HTTPError) -> Localized:
    """Return an error in the request's language, and the language; the error itself if the app has no languages."""
    try:
        language = language_of(request)
        return Localized(error if language is None else language.localized(error), language)
    except Exception:  # such as a catalogue that is being edited: an error must become a response
        import logging

        logging.getLogger("antiphon").exception("an error could not be translated")
        return Localized(error, None)


_PAGE_HEAD = """<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>
body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem }
small { color: #767676 }
</style>
"""


_ENDS_TASK = "_antiphon_ends_task"
"""The attribute of a cancellation that tells other threads whether it ends the task in which it was raised."""


def note_task(error: BaseException) -> None:
    """Record on a cancellation of the running task whether that task ends, for ``is_leaving`` on other threads."""
    from asyncio import CancelledError

    if isinstance(error, CancelledError):
        setattr(error, _ENDS_TASK, is_leaving(error))


def is_leaving(error: BaseException) -> bool:
    """True if an error ends the task or the process.

    An Exception never does, nor does a cancellation that was not requested or was undone, as by ``asyncio.timeout``.
    """
    from asyncio import CancelledError, current_task

    # Without asking for the task, which other errors do not depend on.
    if isinstance(error, Exception) or not isinstance(error, CancelledError):
        return not isinstance(error, Exception)
    # A thread has no task: what was noted on the loop counts.
    if not is_on_loop():
        return getattr(error, _ENDS_TASK, False)
    task = current_task()
    return task is None or task.cancelling() > 0


def sole_error(error: BaseException) -> BaseException:
    """Return the only error in a group or in nested groups; any other error is returned unchanged."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner: BaseException = error
    while isinstance(inner, BaseExceptionGroup) and len(inner.exceptions) == 1:
        inner = inner.exceptions[0]
    return error if isinstance(inner, BaseExceptionGroup) else inner


def is_passed_on(raised: BaseException, error: BaseException | None) -> bool:
    """True if an error that was thrown into code was raised again by it, perhaps as the only error of a group.

    Python doesn't let StopIteration leave a generator, and raises RuntimeError from it.
    """
    is_stop = isinstance(error, StopIteration | StopAsyncIteration)
    return sole_error(raised) is error or (is_stop and raised.__cause__ is error)


def _told_of(error: BaseException) -> HTTPError | Response | None:
    """Return what an exception of another framework's helper tells; None for others, without asking for Python's."""
    return None if type(error).__module__ == "builtins" else frameworks().told_of(error)


def as_http_error(error: BaseException) -> HTTPError:
    """Return the error that the client sees: the error itself if it is an HTTPError, otherwise one that reveals
    nothing.
    """
    if isinstance(error, HTTPError):
        return BadRequest("The body is malformed.") if isinstance(error, IncompleteBody) else error
    if isinstance(error, Exception) or not is_leaving(error):
        told = _told_of(error)
        if told is not None:
            return told if isinstance(told, HTTPError) else HTTPError(max(told.status, 400))
        return InternalServerError("The server failed to handle the request; the failure has been logged.")
    return ClientDisconnected("The request was cancelled.")


def error_response(request: Request, error: BaseException) -> Response:
    """Return the response to an error: problem details (RFC 9457) or a page, with the request's id, without a
    traceback.

    The response's ``error`` is the exception itself.
    """
    told, language = as_http_error(error), None
    if localizers:
        told, language = localized(request, told)
    head = request.head
    if isinstance(head, DerivedHead):  # such as a watched head
        note_in_head(head, Reads.REQUEST_ID)
    content_type = _accepted(head.field("accept"))
    if content_type == HTML:
        body = _page(request, told, language).encode("utf-8", "replace")
    else:
        body = _problem(request, told)
    response = response_of(body, _fields(request, told, content_type))
    response.status = told.status
    response.error = error
    if _debug_page is not None:
        _debug_page(request, error, response)
    return response


_LONGEST_KNOWN = 256
"""The maximum length of an Accept header whose result is cached; most clients send one of a few values."""


def _accepted(accept: str | None) -> str:
    """Return the content type that a client prefers. The response must have the corresponding Vary."""
    return _known(accept) if accept is None or len(accept) <= _LONGEST_KNOWN else _best(accept)


def _best(accept: str | None) -> str:
    best = Accept.parse(accept).best([PROBLEM, "application/json", "text/html"], PROBLEM)
    return HTML if best == "text/html" else PROBLEM


_known = lru_cache(maxsize=128)(_best)

_OURS = frozenset({"content-type", "x-content-type-options", "x-request-id", "vary"})


def headers_of(request: Request, told: HTTPError, response: Response | None = None) -> list[Line]:
    """Return the header fields of an error, with the one that its status requires if it and a response lack it."""
    own = told.headers.items()
    demand = _DEMANDED.get(told.status)
    if demand is None or demand.name in told.headers or (response is not None and demand.name in response.headers):
        return own
    value = demand.make(request) or demand.general
    if demand.fix and value == demand.general and is_debug():
        _advise(request, told, demand)
    return own if value is None else [*own, (demand.name, value)]


def _fields(request: Request, told: HTTPError, content_type: str) -> list[Line]:
    """Return the header fields of the response to an error: the error's own, which were checked when set, and
    Antiphon's.
    """
    own = headers_of(request, told)
    # The usual case in one list, without a search for fields that an error rarely has.
    if not own:
        return [
            ("content-type", content_type),
            ("cache-control", "no-store"),
            NOT_SNIFFED,
            ("x-request-id", request._id),
            ("vary", "accept"),
        ]
    varied = tuple([value for name, value in own if name == "vary"])
    fields = [("content-type", content_type), *(field for field in own if field[0] not in _OURS)]
    if not any(name == "cache-control" for name, _ in own):
        fields.append(("cache-control", "no-store"))
    return [*fields, NOT_SNIFFED, ("x-request-id", request._id), ("vary", vary(varied, ("accept",)))]


def raised_response(raised: BaseException) -> Response | None:
    """Return a redirect, or another response that was raised, also by another framework's helper; None for an error."""
    if not isinstance(raised, RaisedResponse):
        told = None if isinstance(raised, HTTPError) else _told_of(raised)
        return told if isinstance(told, Response) else None
    response = Response(None, raised.status, raised.headers)
    if raised.location is not None:
        response.headers["location"] = raised.location
    return response


def _problem(request: Request, error: HTTPError) -> bytes:
    own = {"request_id": request._id}
    try:
        return _json(error.problem() | own)
    except (TypeError, ValueError):  # an error must become a response, whatever its members
        return _json(_writable(HTTPError.problem(error)) | own)


def _json(value: object) -> bytes:
    from antiphon.serialization.json import encode_json

    return encode_json(value)


def _writable(problem: dict[str, object]) -> dict[str, object]:
    """Return the members that can be serialized to JSON; text that UTF-8 can't encode is replaced."""
    printable = {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in problem.items()
    }
    return {name: value for name, value in printable.items() if _is_writable({name: value})}


def _is_writable(value: object) -> bool:
    try:
        _json(value)
    except (TypeError, ValueError):
        return False
    return True


def _page(request: Request, error: HTTPError, language: Language | None) -> str:
    title, detail, named, written = error.title, error.detail or "", f"request {request._id}", 'lang="en"'
    if language is not None:
        if language.has("request {id}"):
            named = language.gettext("request {id}", id=request._id)
        written = f'lang="{language.tag}" dir="{language.dir}"'
    if _has_markup(f"{title}{detail}{named}"):
        from html import escape

        title, detail, named = escape(title), escape(detail), escape(named)
    errors = _list_of_errors(error.members["errors"]) if "errors" in error.members else ""
    return f"""<!doctype html>
<html {written}>
{_PAGE_HEAD}<title>{error.status} {title}</title>
<main>
<h1>{title}</h1>
<p>{detail}</p>
{errors}<small>{error.status} &middot; {named}</small>
</main>
"""


def _has_markup(text: str) -> bool:
    """Return True if text has to be escaped in HTML. Most text doesn't, and searching for each character is the fastest
    test.
    """
    return "&" in text or "<" in text or ">" in text or '"' in text or "'" in text


def _list_of_errors(errors: object) -> str:
    """Return the individual errors in problem details, dicts with ``pointer`` and ``detail``, as an HTML list."""
    listed = errors if isinstance(errors, list | tuple) else ()
    items = "".join([_item(fault) for fault in listed if isinstance(fault, dict)])
    return f"<ul>\n{items}</ul>\n" if items else ""


def _item(fault: dict[object, object]) -> str:
    detail, pointer = fault.get("detail"), fault.get("pointer")
    if not isinstance(detail, str):
        return ""
    from html import escape

    place = _path_of(pointer) if isinstance(pointer, str) else ""
    name = f"<code>{escape(place)}</code>: " if place else ""
    return f"<li>{name}{escape(detail)}</li>\n"


def _path_of(pointer: str) -> str:
    """Return a JSON Pointer (RFC 6901) in human-readable form: `tags/1` for `/tags/1`."""
    return pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")
