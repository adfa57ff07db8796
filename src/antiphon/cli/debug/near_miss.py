"""Hints for requests that nearly matched: similar routes for a 404, and the names that were sent for a 400."""

import json
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from html import escape
from itertools import islice

from antiphon.app.application import App
from antiphon.cli.routes import Row, aligned, table
from antiphon.handler.errors import PROBLEM
from antiphon.http.errors import HTTPError
from antiphon.request.body import FORM, Members
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.serialization.json import encode_json

_MOST = 12
_MOST_LOOKED_AT = 2_000
_MOST_NAMES = 50
_LONGEST_NAME = 100


def add_routes(request: Request, response: Response) -> None:
    """Add the nearest routes to the answer, for a request that no route answers."""
    app, route = request.route.app, request.route
    if route.name or not isinstance(app, App):
        return
    rows = table(app, request.root_path)[:_MOST_LOOKED_AT]
    _add(response, "routes", "Routes", aligned(_nearest(rows, request.root_path + request.path)))


def add_sent_names(request: Request, missing: str, response: Response) -> None:
    """Add the names that a client has sent to the answer, for a request that lacks one."""
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
    """Yield a line for each part of a request that has names, without a body that was not received or is malformed."""
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
    elif isinstance(members := vars(request).get("json"), Members):
        yield from _line("JSON", members)


def _line(part: str, names: Iterable[str]) -> Iterator[str]:
    shown = [name[:_LONGEST_NAME] for name in islice(dict.fromkeys(names), _MOST_NAMES)]
    if shown:
        yield f"{part}: {', '.join(shown)}"
