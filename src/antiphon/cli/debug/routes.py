"""The routes that are near to a path that has none, for an answer of status 404."""

import json
from difflib import SequenceMatcher
from html import escape

from antiphon.app.application import App
from antiphon.cli.routes import Row, aligned, table
from antiphon.handler.errors import PROBLEM
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.serialization.json import encode_json

_MOST = 12
_MOST_LOOKED_AT = 2_000


def add_routes(request: Request, response: Response) -> None:
    """Add the nearest routes to the answer to a request that no route answers."""
    app, route = request.route.app, request.route
    if route.name or not isinstance(app, App) or not isinstance(response.body, bytes):
        return
    lines = aligned(_nearest(table(app, request.root_path)[:_MOST_LOOKED_AT], request.root_path + request.path))
    if not lines:
        return
    if response.content_type == PROBLEM:
        response.body = encode_json(json.loads(response.body) | {"debug": {"routes": lines}})
    else:
        listed = "\n".join(map(escape, lines))
        response.body += f'<p>Routes that are there:\n<pre style="overflow: auto">{listed}</pre>\n'.encode()


def _nearest(rows: list[Row], path: str) -> list[Row]:
    """Return the routes whose paths are most like one, the nearest first."""
    matcher = SequenceMatcher(b=path[:200], autojunk=False)

    def likeness(row: Row) -> float:
        matcher.set_seq1(row[1][:200])
        return matcher.ratio()

    return sorted(rows, key=likeness, reverse=True)[:_MOST]
