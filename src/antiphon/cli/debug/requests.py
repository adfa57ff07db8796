"""The debug pages: of the most recent requests, which can be handled again or shown as tests and stay in memory, and of
the documentation.
"""

import logging
import time
from collections import deque
from html import escape
from typing import Any, Literal

import msgspec

from antiphon.adapters.exchange import Exchange, Observer, Observers
from antiphon.adapters.foreign.call import aget_response
from antiphon.adapters.observing import with_observers
from antiphon.adapters.servable import Servable
from antiphon.app.application import App
from antiphon.cli import docs_pages
from antiphon.cli.debug.mode import viewers
from antiphon.cli.debug.page import HEADERS, STYLE, table
from antiphon.cli.target import Target
from antiphon.features.recorder.as_test import AppSource, written_test
from antiphon.features.recorder.queries import MANY, QueryLog, Statement, begin, described
from antiphon.features.recorder.record import Record, Trace, cause_of_error, record_of
from antiphon.features.recorder.shelf import Caught, disguised
from antiphon.features.secret_names import marked_names
from antiphon.handler.errors import is_seen_in_debug
from antiphon.http.errors import NotFound
from antiphon.http.headers import combined
from antiphon.request.request import Request
from antiphon.response.response import Response

PLACE, DOCS = "/.antiphon/requests", "/.antiphon/docs"
"""The paths of the pages, which applications can't use in debug mode."""
_MOST = 50
_LARGEST = 256 << 10
_MOST_LOGGED = 1000

_HEADERS = HEADERS | {
    "content-security-policy": HEADERS["content-security-policy"].replace("form-action 'none'", "form-action 'self'"),
    "content-type": "text/html; charset=utf-8",
}
_RESPONSE_FIELDS = frozenset({"content-type", "content-security-policy", "location"})


class LastRequests(Observer):
    """The last requests of an application, in memory, and the page that shows them to developers."""

    def __init__(self, app: Any, interface: Literal["wsgi", "asgi"] | None, target: Target) -> None:
        self._app = app
        self._interface: Literal["wsgi", "asgi"] | None = interface
        self._target = target
        self._last: deque[tuple[Caught, QueryLog]] = deque(maxlen=_MOST)
        self._logged: set[Statement] = set()
        self.page = page = App()
        page.before_request(_check_viewer)
        page.get(PLACE)(self._show)
        page.register(docs_pages.pages, prefix=DOCS)
        page.post(f"{PLACE}/<id>/again")(self._send_again)
        page.post(f"{PLACE}/<id>/test")(self._show_test)
        page.post(f"{PLACE}/<id>/route")(self._show_route)

    def begin(self, exchange: Exchange) -> None:
        """Count the statements that the request sends to databases."""
        begin(exchange.request)

    def sent(self, exchange: Exchange) -> None:
        """Record a request that was handled, and log the statements that it has repeated, once for each line."""
        record = record_of(exchange.request, exchange.response, largest=_LARGEST, release="")
        record.status, record.seconds = exchange.status, exchange.seconds
        error = exchange.error if exchange.status >= 500 else None
        trace = None if error is None else Trace.of(error, cause_of_error(error).place)
        log = begin(exchange.request)
        self._last.append((Caught(record, trace), log))
        self._log_repeated(record, log)

    def _log_repeated(self, record: Record, log: QueryLog) -> None:
        for statement, count in log.counts(MANY):
            if statement not in self._logged and len(self._logged) < _MOST_LOGGED:
                self._logged.add(statement)
                logging.getLogger("antiphon").warning(
                    "%s %r sent one statement %d times, %s: %s. To send it once, %s.",
                    *(record.method, record.target, count, statement.place, statement.text, statement.cure),
                )

    def _show(self, request: Request) -> Response:  # noqa: ARG002 - a handler
        names = marked_names()
        rows = "".join(_row(disguised(caught, names), log) for caught, log in reversed(self._last))
        return _page("The last requests", f"<dl>{rows}</dl>" if rows else "<p>No requests have arrived yet.</p>")

    async def _send_again(self, request: Request, id: str) -> Response:  # noqa: A002 - the parameter of the route
        """Handle a request again, in this process: its secrets are sent to no address.

        If other machines can connect, the person may be another than its sender, and gets no other access than before.
        """
        caught, allowed = self._find(id), viewers()
        is_sender = allowed is not None and allowed.is_for_loopback
        record = caught.record if is_sender else _sent_by(request, disguised(caught))
        response = await aget_response(self._app, record.request(), self._interface)
        fields = [(name, value) for name, value in response.headers.items() if name in _RESPONSE_FIELDS]
        return Response(response.body, response.status, [*fields, ("cache-control", "no-store")])

    def _show_test(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 - a handler
        record = disguised(self._find(id))
        source = AppSource(self._target.module, self._target.attribute)
        text = written_test(self._app, record, record.request_id[:6], source, needs_clock=False)
        return _page(f"{record.method} {record.path} as a test", f"<pre>{escape(text)}</pre>")

    def _show_route(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 - a handler
        """Show the facts about the route of a request, with what the last responses of the route told caches."""
        if not isinstance(self._app, App):
            raise NotFound("Only the routes of an App are known.")
        from antiphon.cli.route_facts import facts_of, rows_of  # imported late: few developers ask

        record = self._find(id).record
        same = [each.record for each, _ in self._last if _route_of(each.record) == _route_of(record)]
        responses = [combined(each.response_fields) for each in same]
        facts = facts_of([plan for plan, _ in self._app._plans_for(record.request())], record.method, responses)
        return _page(f"{record.method} {record.pattern}", table(rows_of(facts)))

    def _find(self, id_: str) -> Caught:
        for caught, _ in self._last:
            if caught.record.request_id == id_:
                return caught
        raise NotFound("This request is not one of the most recent ones.")


def _check_viewer(request: Request) -> None:
    if not is_seen_in_debug(request):
        raise NotFound


def _route_of(record: Record) -> tuple[str, ...]:
    return record.method, record.pattern, record.endpoint


def _sent_by(request: Request, record: Record) -> Record:
    """Return a record with the cookies of a request."""
    fields = [(name, value) for name, value in record.fields if name != "cookie"]
    cookies = [(name, value) for name, value in request.head.fields() if name == "cookie"]
    return msgspec.structs.replace(record, fields=[*fields, *cookies])


def _row(record: Record, log: QueryLog) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(record.time))
    error = f" {record.error[:100]}" if record.error else ""
    actions = {"again": "again", "test": "as a test", "route": "its route"}
    buttons = "".join(_button(record, action, label) for action, label in actions.items())
    what = escape(f"{record.method} {record.target[:200]}")
    sent = f", {log.count} statements" if log.count else ""
    figures = escape(f"{record.status}, {record.seconds * 1000:.0f} ms{sent}{error}")
    repeated = "".join([f"<dd>{escape(described(*each))}</dd>" for each in log.counts(MANY)])
    return f"<div><dt>{when} {what}</dt><dd>{figures} {buttons}</dd>{repeated}</div>\n"


def _button(record: Record, action: str, label: str) -> str:
    if (record.is_socket and action == "again") or (action == "route" and not record.pattern):
        return ""
    where = f"{PLACE}/{record.request_id}/{action}"
    return f'<form method="post" action="{where}" class="inline"><button>{label}</button></form> '


def _page(title: str, content: str) -> Response:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    heading = f"<title>{escape(title)}</title>\n<main>\n<h1>{escape(title)}</h1>"
    body = f'<!doctype html>\n<html lang="en">\n{head}\n{heading}\n{content}\n</main>\n'
    return Response(body, headers=_HEADERS)


class WithLastRequests:
    """An application with a page of its most recent requests, over any interface."""

    def __init__(self, app: Any, interface: Literal["wsgi", "asgi", "rsgi"], target: Target) -> None:
        last = LastRequests(app, None if interface == "rsgi" else interface, target)
        if isinstance(app, Servable):
            app.observe(last)
        else:
            app = with_observers(app, interface, Observers(last))
        self._app = app
        self._page = last.page

    def __call__(self, head: Any, *others: Any) -> Any:
        """Handle a request from a WSGI or ASGI server."""
        path = head.get("path", "") if len(others) > 1 else head.get("PATH_INFO", "")
        return (self._page if _is_below(path) else self._app)(head, *others)

    def __rsgi__(self, scope: Any, protocol: Any) -> Any:
        """Handle a request from an RSGI server."""
        if scope.proto == "http" and _is_below(scope.path):
            return self._page.__rsgi__(scope, protocol)
        return getattr(self._app, "__rsgi__", self._app)(scope, protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)  # such as __rsgi_init__


def _is_below(path: str) -> bool:
    return path in (PLACE, DOCS) or path.startswith((f"{PLACE}/", f"{DOCS}/"))
