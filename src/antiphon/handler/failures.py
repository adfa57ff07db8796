"""Failed requests: the responses to their errors, and how these are kept and logged."""

from contextvars import ContextVar
from math import inf
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Protocol

from antiphon.concurrency.process import GRACE_OVER
from antiphon.explanations import add_notes
from antiphon.handler.errors import as_http_error, error_response, raised_response, sole_error
from antiphon.http.errors import FieldError, HTTPError
from antiphon.request.request import Request
from antiphon.response.response import Response


def failed(request: Request, error: BaseException) -> Response:
    """Return the response to an error that has no error handler, and log the error if the developer has to see it."""
    error = sole_error(error)
    # An HTTPError says by itself what the client did.
    if not isinstance(error, HTTPError):
        if (raised := raised_response(error)) is not None:
            return raised
        note_failure(error)
    response = error_response(request, error)
    if response.status >= 500:
        log_failure(request, error, response=response)
    elif isinstance(error, ValueError) and not isinstance(error, FieldError):
        log_refused_value(request, error)
    return response


def error_told(error: BaseException) -> Exception:
    """Return the error of a response as it is told to the code of another framework, which expects its own tasks to be
    cancelled: itself, or an InterruptedError for a deadline or a client that has left.
    """
    from asyncio import CancelledError

    cause = error.__cause__ if isinstance(error, HTTPError) else error
    if isinstance(error, Exception) and not isinstance(cause, CancelledError):
        return error
    return InterruptedError(f"the request was interrupted: {error}")


def log_refused_value(request: Request, error: ValueError) -> None:
    """Log an invalid value that may be the client's or the developer's fault: with the handler that used it, without a
    traceback.
    """
    import logging

    route, path = request.route, request.root_path + request.path
    where = f" in {route.handled_by}" if route.name else ""
    logging.getLogger("antiphon").warning("%s %r%s: %s, request %s", request.method, path, where, error, request._id)


class Keeper(Protocol):
    """A feature of an application that keeps failed requests."""

    def keep_failure(self, request: Request, error: BaseException, response: Response | None) -> str:
        """Keep a request with its error, and return the id under which it can be found; "" if it isn't kept."""
        ...


FAILURES: ContextVar[list[BaseException] | None] = ContextVar("failures", default=None)
"""The errors that requests of this context have failed with, for a test that shows them; None on a server."""

RAISES_ERRORS: ContextVar[bool] = ContextVar("raises_errors", default=False)
"""True for a request of a test that wants each error to be raised, also one that a page would show."""


def note_failure(error: BaseException) -> None:
    """Explain an error that the client doesn't see, and keep it for the test that has caused it."""
    if not isinstance(error, Exception) or as_http_error(error).status < 500:
        return
    add_notes(error)
    if (failures := FAILURES.get()) is not None:
        failures.append(error)


FAILED = "failed"
"""The fault of a request whose response is an error, or is cut off by one."""


def log_failure(
    request: Request, error: BaseException, where: str = "", *, fault: str = FAILED, response: Response | None = None
) -> None:
    """Log an error with its traceback and its request; ``fault`` and ``where`` say what happened and where.

    A request that has ``FAILED`` is also kept, if its application keeps failed requests, and the line ends with its id.
    An outage (a 503, or an error of a database that is away) is logged once per second, with the number of errors in
    between, and its traceback once. Nothing is logged if the store logs the outage already.
    """
    import logging

    path = request.root_path + request.path
    keeper: Keeper | None = getattr(request.route.app, "keeper", None) if fault is FAILED else None
    # Before the check for outages, which only shortens the log: each failed request is kept.
    kept = "" if keeper is None else keeper.keep_failure(request, error, response)
    is_new, is_due = True, True
    subject = str(error) if isinstance(error, HTTPError) else type(error).__name__
    if is_outage := _is_outage(error):
        is_new, is_due = note_outage(subject, has_line=getattr(error, "_has_line", False))
    if not is_due:
        return
    logging.getLogger("antiphon").error(
        "%s %r %s%s, request %s%s%s%s",
        request.method,
        path,
        fault,
        where,
        request._id,
        f", kept as {kept}" if kept else "",
        "" if is_new else f": {' '.join(str(error).split())}",
        and_more(subject) if is_outage else "",
        exc_info=(type(error), error, _traceback_in_application(error)) if is_new else None,
    )


def _traceback_in_application(error: BaseException) -> TracebackType | None:
    """Return an error's traceback from the first frame that isn't the library's own; all of it if there is none.

    Logging a frame takes as long as handling several requests.
    """
    traceback = error.__traceback__
    while traceback is not None and str(traceback.tb_frame.f_globals.get("__name__")).startswith("antiphon."):
        traceback = traceback.tb_next
    return traceback or error.__traceback__


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, HTTPError):
        return error.status == 503 or getattr(error, "_is_outage", False)
    causes = error, getattr(error, "orig", None), error.__cause__  # also as SQLAlchemy and Django raise it
    states = [getattr(each, "sqlstate", None) for each in causes if hasattr(each, "sqlstate") and hasattr(each, "diag")]
    return any(state is None or state[:2] in ("08", "53") or state[:3] == "57P" for state in states)


_outages: dict[str, tuple[float, float, int]] = {}
"""The times at which each outage was last seen and last logged, and its errors since then, by subject. The one that was
seen last is the last.
"""

_outages_lock = Lock()

_OVER = 60.0
"""The seconds without an error after which an outage is over, so that the next error's traceback is logged."""

_MOST_OUTAGES = 64


def note_outage(subject: str, *, has_line: bool = False) -> tuple[bool, bool]:
    """Return True if the outage is new, and True if a line about it is due: once per second, but never if it already
    ``has_line`` of another kind, with the count.
    """
    now = monotonic()
    with _outages_lock:
        seen, logged, count = _outages.pop(subject, (-inf, -inf, 0))
        is_new = now - seen > _OVER
        is_due = not has_line and (is_new or now - logged >= 1)
        _outages[subject] = now, now if is_new or is_due else logged, 0 if is_new else count + (not is_due)
        if len(_outages) > _MOST_OUTAGES:  # messages of errors may contain anything
            del _outages[next(iter(_outages))]
    return is_new, is_due


def and_more(subject: str) -> str:
    """Return the end of a line about an outage: how many of its errors have not been logged since the last line."""
    with _outages_lock:
        seen, logged, count = _outages.get(subject, (-inf, -inf, 0))
        if count:
            _outages[subject] = seen, logged, 0
    return f" (and {count} more)" if count else ""


def log_broken_body(request: Request, error: BaseException) -> None:
    """Log an error of a body that is being sent, with its handler, because the traceback may not show that."""
    route = request.route
    log_failure(request, error, f" in the body that {route.handled_by} gave" if route.name else "")


def is_broken_from_outside(request: Request, error: BaseException) -> bool:
    """True if a streamed response failed because the request's body, which it reads, was cut off, or because the time
    for open requests is over, so there is nothing to log.
    """
    if not isinstance(error, HTTPError):
        return False
    return error.status == 503 if GRACE_OVER.is_given else error.status < 500 and request.content.is_failure(error)
