"""Model Context Protocol messages over HTTP: each POST contains a JSON-RPC request and gets its response.

Revision 2026-07-28 has no sessions: each request states its version and the client's capabilities. Earlier revisions
begin with ``initialize``. The id of their session is random, and ends with the client's capabilities as letters, so
nothing is stored for a session until the client asks for something.
"""

import re
from binascii import Error as BadBase64
from binascii import a2b_base64
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, NamedTuple

from antiphon import Limits, Request, Response
from antiphon.embedding import encode_json
from antiphon.features.openapi.code.responses import JSON
from antiphon.http import BadRequest, UnsupportedMediaType

MODERN = "2026-07-28"
"""The revision without sessions."""
LEGACY = ("2025-11-25", "2025-06-18")
"""The revisions that begin with ``initialize``, newest first. 2025-03-26 has batches, which rate limits would count as
one request.
"""
VERSIONS = (MODERN, *LEGACY)

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
NOT_FOUND_BEFORE = -32002
"""The error code for a resource that is not found, in revisions before 2026-07-28."""
HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION = -32020, -32021, -32022
_STATUSES = {METHOD_NOT_FOUND: 404, INTERNAL_ERROR: 500}
"""The statuses of errors in the modern revision; any other error has 400."""

META = "io.modelcontextprotocol/"
_NAMED_BY = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
"""The methods whose subject is in the Mcp-Name header, and the parameter that the header repeats."""
_DEEPEST = 60
_LETTERS = {"e": "elicitation", "s": "sampling", "r": "roots"}
_session = re.compile(r"[A-Za-z0-9_-]{22}\.[esr]*").fullmatch
_encoded = re.compile(r"=\?base64\?([A-Za-z0-9+/]*={0,2})\?=").fullmatch


class ProtocolError(Exception):
    """An error in a message, which becomes a JSON-RPC error. ``id`` is the message's id, if known."""

    id: str | int | None = None

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Message(NamedTuple):
    """A client's request."""

    method: str
    params: Mapping[str, Any]
    id: str | int | None
    """The id by which the client recognizes the response, or None for a notification, which gets no response."""
    version: str
    meta: Mapping[str, Any]
    session: str = ""
    """The session's id, in revisions with sessions; empty if the client has none."""

    @property
    def is_modern(self) -> bool:
        """True if each request describes the client completely."""
        return self.version == MODERN

    @property
    def capabilities(self) -> Mapping[str, Any]:
        """The client's capabilities, which it states in each request or has stated when the session began."""
        if not self.is_modern:
            return {_LETTERS[letter]: {} for letter in self.session.partition(".")[2]}
        found = self.meta.get(f"{META}clientCapabilities")
        return found if isinstance(found, dict) else {}

    @property
    def progress_token(self) -> str | int | None:
        """The token with which the client wants progress, or None if it wants none."""
        token = self.meta.get("progressToken")
        return token if isinstance(token, str | int) else None

    @property
    def reply(self) -> Mapping[str, Any] | None:
        """The message, if it is the response to a request of the server."""
        return None if self.method else self.params

    def text(self, name: str) -> str:
        """Return a parameter. Raises ProtocolError if it is missing or not text."""
        value = self.params.get(name)
        if not isinstance(value, str):
            raise ProtocolError(INVALID_PARAMS, f"params.{name} must be a string")
        return value


def read_message(request: Request) -> Message:
    """Return the message in a request's body.

    Raises ProtocolError, and UnsupportedMediaType (415) for anything but JSON, which a page of another site can't send
    without a preflight.
    """
    if request.mimetype != JSON:
        raise UnsupportedMediaType(f"A message must be sent as {JSON}.", headers={"accept": JSON})
    limits = request.limits
    # Without repeats, since proxies may have read another value.
    request.limits = Limits(json=limits.memory, json_depth=_DEEPEST, json_repeats=0).within(limits)
    try:
        message = request.json
    except BadRequest as error:
        raise ProtocolError(PARSE_ERROR, error.detail or "The message is not JSON.") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, "The body must be one JSON-RPC 2.0 message.")
    method, ident, params = message.get("method"), message.get("id"), message.get("params", {})
    if not isinstance(method, str) and ("result" in message or "error" in message):
        return Message("", message, None, LEGACY[0], {}, _session_of(request))
    if not isinstance(method, str) or not isinstance(params, dict):
        raise ProtocolError(INVALID_REQUEST, "A request must have a method, and its params must be an object.")
    if "id" in message and (not isinstance(ident, str | int) or isinstance(ident, bool)):
        raise ProtocolError(INVALID_REQUEST, "The id of a request must be a string or an integer.")
    meta = params.get("_meta")
    read = Message(method, params, ident, "", meta if isinstance(meta, dict) else {}, _session_of(request))
    try:
        return read._replace(version=_version_of(request, read))
    except ProtocolError as error:
        error.id = ident
        raise


def session_message(request: Request) -> Message:
    """Return the message that a GET for a session's stream is."""
    return Message("GET", {}, None, LEGACY[0], {}, _session_of(request))


def _version_of(request: Request, message: Message) -> str:
    """Return a request's protocol revision. Raises ProtocolError if the request contradicts itself."""
    header, said = _field(request, "mcp-protocol-version"), message.meta.get(f"{META}protocolVersion")
    if said is None and (header is None or header in LEGACY):
        return header or LEGACY[-1]
    if message.id is None:
        return _supported(header if header is not None else said)
    if not isinstance(said, str) or f"{META}clientCapabilities" not in message.meta:
        _supported(header)
        names = f"{META}protocolVersion and {META}clientCapabilities"
        raise ProtocolError(INVALID_PARAMS, f"params._meta must have {names}")
    _check_header("MCP-Protocol-Version", header, said)
    _check_header("Mcp-Method", _field(request, "mcp-method"), message.method)
    _supported(said)
    if message.method in _NAMED_BY:
        wanted = message.params.get(_NAMED_BY[message.method])
        if wanted is not None:
            _check_header("Mcp-Name", _decoded(_field(request, "mcp-name")), wanted)
    return said


def new_session(capabilities: object) -> str:
    """Return the id of a new session for a client with these capabilities."""
    found = capabilities if isinstance(capabilities, dict) else {}
    letters = [letter for letter, name in _LETTERS.items() if is_able(found, name)]
    return f"{token_urlsafe(16)}.{''.join(letters)}"


def is_able(capabilities: Mapping[str, Any], name: str) -> bool:
    """Return True if a client has a capability; for elicitation, that it can show forms."""
    found = capabilities.get(name)
    return isinstance(found, dict) and (name != "elicitation" or not found or "form" in found)


def _session_of(request: Request) -> str:
    found = request.head.field("mcp-session-id")
    return found if found is not None and _session(found) else ""


def _field(request: Request, name: str) -> str | None:
    """Return a header without surrounding spaces, which some servers don't remove (RFC 9110 §5.5)."""
    value = request.head.field(name)
    return None if value is None else value.strip(" \t")


def _supported(version: object) -> str:
    if not isinstance(version, str) or version not in VERSIONS:
        data = {"supported": list(VERSIONS), "requested": version}
        raise ProtocolError(UNSUPPORTED_VERSION, "Unsupported protocol version", data)
    return version


def check_argument_header(request: Request, name: str, value: object) -> None:
    """Check the header that repeats an argument of a tool. Raises ProtocolError."""
    text = value if isinstance(value, str) else encode_json(value).decode()
    header = _field(request, f"mcp-param-{name.lower()}")
    if value is not None or header is not None:
        _check_header(f"Mcp-Param-{name}", _decoded(header), text)


def _check_header(name: str, header: str | None, said: object) -> None:
    """Check a header that repeats a value from the message: proxies may have based decisions on it."""
    if header != said:
        what = "is missing" if header is None else f"is {header[:80]!r}"
        raise ProtocolError(HEADER_MISMATCH, f"Header mismatch: {name} {what}, and the message says {str(said)[:80]!r}")


def _decoded(header: str | None) -> str | None:
    found = None if header is None else _encoded(header)
    if found is None:
        return header
    try:
        return a2b_base64(found[1], strict_mode=True).decode()
    except (BadBase64, UnicodeDecodeError):
        return None


# Responses


def result_response(message: Message, result: Mapping[str, Any]) -> Response:
    """Return the response with a request's result."""
    return Response(encode_json(result_message(message, result)), content_type=JSON)


def result_message(message: Message, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message with a request's result."""
    shown = {"resultType": "complete", **result} if message.is_modern else result
    return {"jsonrpc": "2.0", "id": message.id, "result": shown}


def error_message(error: ProtocolError, message: Message | None = None) -> dict[str, Any]:
    """Return the message for an error in a message, or in one that can't be parsed."""
    data = {} if error.data is None else {"data": error.data}
    ident = error.id if message is None else message.id
    return {"jsonrpc": "2.0", "id": ident, "error": {"code": error.code, "message": error.message, **data}}


def refusal(error: ProtocolError, message: Message | None = None) -> Response:
    """Return the response for an error. In revisions with sessions, a method's errors have status 200."""
    status = _STATUSES.get(error.code, 400) if message is None or message.is_modern else 200
    return Response(encode_json(error_message(error, message)), status, content_type=JSON)
