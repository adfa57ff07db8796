"""The ASGI scope of a request that came over any interface."""

from collections.abc import Mapping
from typing import Any

from antiphon.adapters.asgi import EARLY_HINT, ASGIHead, Scope
from antiphon.adapters.server_values import server_address
from antiphon.http.head import server_head
from antiphon.request.request import Request

_HONOURED_EXTENSIONS = ("tls",)
"""Extensions that are passed on as they are: they only give information, and offer no messages."""
_CODING_FIELDS = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Fields about a body as it was sent, which are wrong once it is decoded."""


def make_scope(request: Request, state: Mapping[str, Any] | None = None) -> Scope:
    """Return an HTTP scope (ASGI 3, HTTP specification 2.5) for a request.

    ``path`` is the whole path, of which ``root_path`` is the beginning. ``raw_path`` is left out if the server hides
    it. ``state`` is copied. The rest is a copy of the scope of an ASGI server, without the extensions that a server has
    to support. Early hints are offered if the server has a loop and sends them: the application has its own task, which
    no thread of a WSGI server waits for.
    """
    head = request.head
    given = server_head(head)
    scope = dict(given.scope) if isinstance(given, ASGIHead) else {}
    offered = scope.get("extensions") or {}
    scope |= {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": head.http_version,
        "method": head.method,
        "scheme": head.scheme,
        "path": head.root_path + head.path,
        "raw_path": head.raw_path,
        "query_string": head.query_string,
        "root_path": head.root_path,
        "headers": _encoded_fields(request),
        "client": (head.client.host, head.client.port or 0) if head.client else None,
        "server": scope.get("server") or server_address(head),
        "state": None if state is None else dict(state),
        "extensions": {name: offered[name] for name in offered if name in _HONOURED_EXTENSIONS},
    }
    if head.takes_early_hints and not head.blocks:
        scope["extensions"][EARLY_HINT] = {}
    for optional in ("raw_path", "state"):
        if scope[optional] is None:
            del scope[optional]
    return scope


def _encoded_fields(request: Request) -> list[tuple[bytes, bytes]]:
    """Return the header; Host is the authority, which may come from HTTP/2 or a trusted proxy."""
    head, content = request.head, request.content
    sent = head.fields()
    if content.is_decoded:
        sent = [field for field in sent if field[0] not in _CODING_FIELDS]
        sent.append(("content-length", str(content.size)))
    fields = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in sent]
    host, authority = head.field("host"), head.authority
    if host != authority and (host or head.http_version >= "2"):
        others = [field for field in fields if field[0] != b"host"]
        return [(b"host", authority.encode("latin-1", "replace")), *others]
    return fields
