"""The switch for debug mode, and its responses to errors, with hints for near misses."""

import ipaddress
import json
import logging
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from html import escape
from itertools import islice
from urllib.parse import urlsplit

from antiphon.app.application import App
from antiphon.cli.commands import aligned
from antiphon.cli.debug.page import HEADERS, page_of, traceback_of
from antiphon.cli.debug.report import Failure, Report, report_of
from antiphon.cli.routes import Row, table
from antiphon.handler.errors import PROBLEM, set_debug_page
from antiphon.http.errors import HTTPError, NotFound
from antiphon.http.multidict import MissingFile, MissingKey
from antiphon.request.proxies import TrustedProxies
from antiphon.request.readings import FORM, JSONObject
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.serialization.json import encode_json

_MOST = 12
_MOST_LOOKED_AT = 2_000
_MOST_NAMES = 50
_LONGEST_NAME = 100


def add_routes(request: Request, response: Response) -> None:
    """Add the most similar routes to a 404 response."""
    app, route = request.route.app, request.route
    if route.name or not isinstance(app, App):
        return
    rows = table(app, request.root_path)[:_MOST_LOOKED_AT]
    _add(response, "routes", "Routes", aligned(_nearest(rows, request.root_path + request.path)))


def add_sent_names(request: Request, missing: str, response: Response) -> None:
    """Add the names that the client sent to the response about a missing name."""
    _add(response, "sent", "The request has these names", [*_sent_names(request, missing)])


def _add(response: Response, member: str, title: str, lines: list[str]) -> None:
    if not lines or not isinstance(response.body, bytes):
        return
    if response.content_type == PROBLEM:
        response.body = encode_json(json.loads(response.body) | {"debug": {member: lines}})
    else:
        listed = "\n".join(map(escape, lines))
        response.body += f'<p>{title}:\n<pre style="overflow: auto">{listed}</pre>\n'.encode()


def _nearest(rows: list[Row], path: str) -> list[Row]:
    """Return the routes whose paths are most similar to a path, the nearest first."""
    matcher = SequenceMatcher(b=path[:200], autojunk=False)

    def likeness(row: Row) -> float:
        matcher.set_seq1(row[1][:200])
        return matcher.ratio()

    return sorted(rows, key=likeness, reverse=True)[:_MOST]


def _sent_names(request: Request, missing: str) -> Iterator[str]:
    """Yield a line of names for each part of a request. A body that is malformed or wasn't received is skipped."""
    yield from _line("query", request.args)
    yield from _line("cookies", request.cookies)
    if request.content.data is None and not request.content.is_complete:
        return
    try:
        yield from _body_names(request, missing)
    except HTTPError:
        return


def _body_names(request: Request, missing: str) -> Iterator[str]:
    yield from _line("form", request.form)
    yield from _line("files", request.files)
    if request.mimetype == FORM and missing in request.form:  # the name of a file that was chosen
        yield 'files: none; a form sends its files with <form method="post" enctype="multipart/form-data">'
    elif isinstance(members := vars(request).get("json"), JSONObject):
        yield from _line("JSON", members)


def _line(part: str, names: Iterable[str]) -> Iterator[str]:
    shown = [name[:_LONGEST_NAME] for name in islice(dict.fromkeys(names), _MOST_NAMES)]
    if shown:
        yield f"{part}: {', '.join(shown)}"


_UNDER_OTHER_NAME = (
    "Debug mode shows nothing under the host %r, since it may not be a name of this machine: open the app under"
    " localhost or an IP address, or accept other machines with --host."
)

_BY_UNKNOWN_PROXY = (
    "Debug mode shows nothing to clients of an unknown proxy, which sent %s: if it is yours, and only you can reach"
    " it, declare it with App(trusted_proxies=[...])."
)
_is_of_proxy = re.compile(
    r"(?:.+-)?forwarded(?:-.+)?|via|cdn-loop|front-end-https|x-(?:url-)?scheme|x-request-start|x-cloud-trace-context"
    r"|(?:cf|cloudfront)-.+|x-(?:amzn|appengine|arr|azure|envoy|nf|original|real|rewrite|vercel)-.+"
    r"|(?:.+-)?(?:client-?ip|connecting-ip|remote-(?:ip|addr)|user-ip)"
).fullmatch
"""Match the lowercase names of header fields that proxies, tunnels and CDNs add, and that no browser sends."""


def switch_on(*, is_for_loopback: bool) -> None:
    """Make this process respond to errors with all their details.

    ``is_for_loopback`` is True if only this machine can connect. Requests for other hostnames then get no details.
    """
    global _viewers  # noqa: PLW0603 - one mode per process
    _viewers = Viewers(is_for_loopback)
    set_debug_page(_DebugPages(_viewers))


_viewers: "Viewers | None" = None


def viewers() -> "Viewers | None":
    """Return the rules for who can see the details in debug mode; None while it is off."""
    return _viewers


class _DebugPages:
    """A function that completes responses to server errors, unknown paths, requests that lack a name, and refusals."""

    def __init__(self, viewers: "Viewers") -> None:
        self.may_see = viewers.may_see

    def __call__(self, request: Request, error: BaseException, response: Response) -> None:
        """Add the details of an error to its response."""
        if response.status < 500 and response.status != NotFound.status and not _is_explained(error):
            return
        try:
            if self.may_see(request):
                _complete(request, error, response)
        except Exception:
            logging.getLogger("antiphon").exception("debug mode failed; the response is sent without its additions")


class Viewers:
    """The rules for who can see what debug mode adds, such as errors and a bundler's files.

    With ``is_for_loopback``, only requests for local names and IP addresses may.
    """

    def __init__(self, is_for_loopback: bool) -> None:
        self.is_for_loopback = is_for_loopback
        self._explained: set[str] = set()

    def may_see(self, request: Request) -> bool:
        """Return True unless a page on another site could read the response, or an unknown proxy forwards it.

        Such a page could send the request from a script, with CORS, or its hostname could now resolve to this machine
        (DNS rebinding). Nor may clients of an untrusted proxy, such as a tunnel.
        """
        if _is_fetched_by_other_site(request):
            return False
        if (field := _field_of_unknown_proxy(request)) is not None:
            self._explain(_BY_UNKNOWN_PROXY, field)
            return False
        if self.is_for_loopback and not is_local(request.host):
            self._explain(_UNDER_OTHER_NAME, request.host[:100])
            return False
        return True

    def _explain(self, reason: str, detail: str) -> None:
        if reason not in self._explained:
            self._explained.add(reason)
            logging.getLogger("antiphon").warning(reason, detail)


def _field_of_unknown_proxy(request: Request) -> str | None:
    """Return a header field that a proxy added, or None if there is none or the application trusts the proxy."""
    return (
        None
        if TrustedProxies.have_sent(request.head)
        else next(filter(_is_of_proxy, (name for name, _ in request.head.fields())), None)
    )


def _is_fetched_by_other_site(request: Request) -> bool:
    sent_by, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if sent_by is not None:
        return sent_by == "cross-site" and request.headers.get("sec-fetch-mode") != "navigate"
    return origin is not None and _host_of(origin) != request.host.strip("[]")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def is_local(host: str) -> bool:
    """Return True for local names, and for IP addresses, which DNS rebinding can't point elsewhere."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_explained(error: BaseException) -> bool:
    """Return True for an error below 500 for which details are shown."""
    return isinstance(error, MissingKey | MissingFile) or bool(_hidden_reason(error))


def _hidden_reason(error: BaseException) -> str:
    """Return the ``reason`` of an error such as ``SignatureRefused``, which is meant for logs; "" if it has none."""
    return str(getattr(error, "reason", "")) if isinstance(error, HTTPError) else ""


def _complete(request: Request, error: BaseException, response: Response) -> None:
    if response.status == NotFound.status:
        add_routes(request, response)
    elif isinstance(error, MissingKey | MissingFile):
        add_sent_names(request, error.name, response)
    elif reason := _hidden_reason(error):
        _add(response, "reason", "The reason, which only debug mode shows", [reason, *getattr(error, "__notes__", ())])
    else:
        _show(report_of(error, request), response)


def _show(report: Report, response: Response) -> None:
    if response.content_type == PROBLEM:
        body = response.body if isinstance(response.body, bytes) else b"{}"
        response.body = encode_json(json.loads(body) | {"debug": _member(report)})
        response.headers["cache-control"] = "no-store"
    else:
        response.body = page_of(report)
        response.headers.update(HEADERS)


def _member(report: Report) -> dict[str, object]:
    """Return the ``debug`` member of problem details."""
    return {"errors": [_failure(failure) for failure in report.failures], "traceback": traceback_of(report)}


def _failure(failure: Failure) -> dict[str, object]:
    return {
        "type": failure.kind,
        "message": failure.message,
        "notes": list(failure.notes),
        "frames": list(_frames(failure)),
        "errors": [_failure(member) for member in failure.members],
    }


def _frames(failure: Failure) -> Iterator[dict[str, object]]:
    for frame in failure.frames:
        yield {
            "file": frame.path,
            "line": frame.line,
            "function": frame.function,
            "code": frame.code,
            "is_own": frame.is_own,
            "variables": dict(frame.variables),
        }
